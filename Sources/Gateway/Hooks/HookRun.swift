internal import Synchronization

/// What hooks are told.
enum HookMoment: Sendable {
    case request(HookRequest)
    case call(HookCall)
    case head(HookHead)
    case event(HookEvent)
    /// The usage event, as a frame that is read where the hooks run.
    case settled(frame: [UInt8])

    var name: StaticString {
        switch self {
        case .request: "requestReceived"
        case .call: "clientIdentified"
        case .head: "headReceived"
        case .event: "eventReceived"
        case .settled: "settled"
        }
    }

    var isSettled: Bool { if case .settled = self { true } else { false } }

    /// What it counts for in `HookLine.mostWaiting`.
    var bytes: Int { if case .event(let event) = self { event.bytes.count + 64 } else { 64 } }
}

/// Some moments of one exchange, told to all its hooks; not on its event loop.
struct HookRun: Sendable {
    /// Which call runs, for whoever waits for it in vain.
    final class Progress: Sendable {
        private let call = Atomic<Int>(0)
        static let mostHooks = 256

        /// Index of the moment and of the hook.
        var current: (moment: Int, hook: Int) {
            get {
                let call = call.load(ordering: .relaxed)
                return (call / Self.mostHooks, call % Self.mostHooks)
            }
            set { call.store(newValue.moment * Self.mostHooks + newValue.hook, ordering: .relaxed) }
        }
    }

    /// What came of it.
    enum Outcome: Sendable {
        case passed(HookFields)
        case refused(GatewayError)
        case failed(HookFailure)
    }

    var hooks: [any ExchangeHook]
    var fields: HookFields
    let moments: [HookMoment]
    let progress: Progress

    /// Behind a refusal or a failure nothing but `settled` is told any more.
    mutating func perform() async -> Outcome {
        var outcome = Outcome.passed(fields)
        for (index, moment) in moments.enumerated() {
            switch outcome {
            case .passed:
                outcome = await tell(moment, index)
            case .refused, .failed:
                if moment.isSettled { _ = await tell(moment, index) }
            }
        }
        return outcome
    }

    private mutating func tell(_ moment: HookMoment, _ index: Int) async -> Outcome {
        var failure: HookFailure?
        for hook in hooks.indices {
            progress.current = (index, hook)
            do {
                if let refusal = try await tell(moment, hook: hook) { return .refused(refusal) }
            } catch {
                failure = HookFailure(kind: .threw, hook: hook, moment: moment.name, cause: "\(error)")
                if !moment.isSettled { break }
            }
        }
        return failure.map { .failed($0) } ?? .passed(fields)
    }

    /// - Returns: what the client gets; `nil` where the request may go on.
    private mutating func tell(_ moment: HookMoment, hook: Int) async throws -> GatewayError? {
        switch moment {
        case .request(let request):
            return try take(try await hooks[hook].requestReceived(request), of: hook)
        case .call(let call):
            return try take(try await hooks[hook].clientIdentified(call), of: hook)
        case .head(let head):
            try await hooks[hook].headReceived(head)
        case .event(let event):
            guard var reader = hooks[hook] as? any StreamHook else { return nil }
            defer { hooks[hook] = reader }
            try await reader.eventReceived(event)
        case .settled(let frame):
            var frames = UsageFrameReader(frame)
            if let event = frames.next() { try await hooks[hook].settled(event) }
        }
        return nil
    }

    private mutating func take(_ verdict: HookVerdict, of hook: Int) throws -> GatewayError? {
        switch verdict {
        case .pass(let request, let answer):
            try fields.add(request: request, answer: answer)
            return nil
        case .refuse(let status, let code, let message, let retryAfter):
            guard 400...599 ~= status else {
                throw HookFields.Problem(description: "a refusal has a status of 400 to 599, not \(status)")
            }
            return GatewayError(
                status,
                code,
                message,
                source: status < 500 ? .downstream : .gateway,
                retryAfter: retryAfter.map { max(0, Int64($0 / .milliseconds(1))) },
                reason: "hook_\(hooks[hook].name)"
            )
        }
    }
}
