package import Gateway

/// Books what is used on cost centres: finer than by client, and known to the caller alone.
///
/// Every request names its cost centre in `x-cost-centre`, and one without is refused before anything is spent. The answer says on
/// which one it was booked, and Azure's own logs get it as `x-ms-client-request-id`. What was used goes to a ledger.
///
///     Hooks.registered = [CostCentreHook(known: ["4711", "4712"], ledger: CostCentreLedger())]
package struct CostCentreHook: ExchangeHook {
    package let name = "cost-centre"
    private let known: Set<String>
    private let ledger: CostCentreLedger
    /// This exchange's: each has a copy of the hook.
    private var centre = ""

    package init(known: Set<String>, ledger: CostCentreLedger) {
        self.known = known
        self.ledger = ledger
    }

    package mutating func requestReceived(_ request: HookRequest) async throws -> HookVerdict {
        guard let centre = request.headers.value(of: "x-cost-centre"), known.contains(centre) else {
            return .refuse(
                status: 400,
                code: "CostCentreRequired",
                message: "The header x-cost-centre has to name a cost centre. Ask your platform team for yours."
            )
        }
        self.centre = centre
        return .pass(
            request: [HookField("x-ms-client-request-id", "\(centre)-\(request.id)")],
            answer: [HookField("x-cost-centre", centre)]
        )
    }

    package mutating func settled(_ event: UsageEvent) async {
        // It comes for refused requests as well, whose models may be anything.
        guard !centre.isEmpty, !event.attempts.isEmpty else { return }
        await ledger.book(event.usage, on: centre, client: event.client, model: event.model)
    }
}
