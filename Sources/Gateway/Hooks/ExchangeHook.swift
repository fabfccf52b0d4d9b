/// What a platform team adds to exchanges in a build of its own: PowerProxy's plugins, as values. `docs/hooks.md` is the guide.
///
/// Hooks are given to `GatewayServer` as a list; each exchange begins with a copy of every one of them. So the properties of
/// a `struct` are that exchange's alone, and what exchanges share belongs into an actor that the hook holds. One exchange's
/// calls come one after the other, each moment to the hooks in the order of the list.
///
/// Nothing of a hook runs on an event loop: they have threads of their own (`HookThreads`). A call has `HookLine.patience`; one
/// that throws, or takes longer, fails its exchange and no other, and that exchange's hooks are told no more but `settled`.
package protocol ExchangeHook: Sendable {
    /// In logs, metrics and errors: lower-case letters, digits and `-`; no two hooks share one.
    var name: String { get }

    /// A request has come; nobody has asked yet who sent it, and its body is still on its way. May refuse, and add fields to the
    /// request to Azure and to the answer. The exchange waits in the state `.introducing`.
    mutating func requestReceived(_ request: HookRequest) async throws -> HookVerdict

    /// It is known who calls, and what for: a JSON body has been read. Nothing is reserved yet, and whether the client may use the
    /// model is decided afterwards. May do the same as `requestReceived`. The exchange waits in the state `.consulting`.
    mutating func clientIdentified(_ call: HookCall) async throws -> HookVerdict

    /// The head of the answer that the client gets, after every failover; not for answers of the gateway's own. Observes: the
    /// answer does not wait for it. Throwing ends the exchange: with an error event in a stream, else by cutting it.
    mutating func headReceived(_ head: HookHead) async throws

    /// The exchange is over, whatever became of it, and its usage event is written: after the client has its last byte, and once for
    /// every request that `requestReceived` was called for. Observes: what it throws is logged and counted.
    mutating func settled(_ event: UsageEvent) async throws
}

/// A hook that is also shown the events of streams. A protocol of its own, as copying them costs what others need not pay.
package protocol StreamHook: ExchangeHook {
    /// An event of a stream, as the client gets it. Observes, and the stream does not wait for it, unless
    /// `HookLine.mostWaiting` bytes of events do already: then Azure is read no further until the hooks have caught up.
    /// Throwing ends the stream with an error event.
    mutating func eventReceived(_ event: HookEvent) async throws
}

extension ExchangeHook {
    package mutating func requestReceived(_ request: HookRequest) async throws -> HookVerdict { .pass() }
    package mutating func clientIdentified(_ call: HookCall) async throws -> HookVerdict { .pass() }
    package mutating func headReceived(_ head: HookHead) async throws {}
    package mutating func settled(_ event: UsageEvent) async throws {}
}

/// What a hook decides about a request.
package enum HookVerdict: Sendable {
    /// It may go on.
    ///
    /// - Parameters:
    ///   - request: fields for Azure, in place of the client's of the same name. Azure answers 431 to more than ten fields
    ///     that it does not know.
    ///   - answer: fields for the client, in place of Azure's; on refusals by the gateway as well.
    case pass(request: [HookField] = [], answer: [HookField] = [])
    /// The client gets this as an error in Azure's shape, and the hooks behind this one are not asked.
    ///
    /// - Parameters:
    ///   - status: 400 ... 599.
    ///   - code: for programs.
    ///   - message: for people: what, and what to do.
    ///   - retryAfter: after which the same request may succeed; `nil` where waiting does not help.
    case refuse(status: Int, code: String, message: String, retryAfter: Duration? = nil)
}

/// A header field.
package struct HookField: Sendable, Equatable {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

extension [HookField] {
    /// The first value of a field, whatever the case of its name.
    package func value(of name: String) -> String? {
        let name = name.lowercased()
        return first { $0.name.lowercased() == name }?.value
    }
}
