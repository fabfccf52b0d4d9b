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

/// What was used by cost centre, client and model: shared by all exchanges, so it is an actor.
package actor CostCentreLedger {
    package struct Account: Hashable, Sendable {
        package let centre: String
        package let client: String
        package let model: String

        package init(centre: String, client: String, model: String) {
            self.centre = centre
            self.client = client
            self.model = model
        }
    }

    package struct Balance: Equatable, Sendable {
        package var requests = 0
        package var input = 0
        package var output = 0
    }

    package private(set) var balances: [Account: Balance] = [:]

    package init() {}

    func book(_ usage: TokenUsage, on centre: String, client: String, model: String) {
        let account = Account(centre: centre, client: client, model: model)
        balances[account, default: Balance()].requests += 1
        balances[account, default: Balance()].input += usage.input
        balances[account, default: Balance()].output += usage.output
    }

    /// `cost_centre,client,model,requests,input_tokens,output_tokens`, with a line for each account, by name.
    package var csv: String {
        let rows = balances.map { account, balance in
            "\(account.centre),\(account.client),\(account.model),\(balance.requests),\(balance.input),\(balance.output)\n"
        }
        return "cost_centre,client,model,requests,input_tokens,output_tokens\n" + rows.sorted().joined()
    }
}
