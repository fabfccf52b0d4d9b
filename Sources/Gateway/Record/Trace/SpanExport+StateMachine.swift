internal import NIOCore

/// When encoded spans are sent, again or not at all. Pure: `SpanExporter` performs what it returns.
///
/// At most one request is on its way. What is being sent stays in the queue until the collector has it or it is given up.
struct SpanExportStateMachine {
    enum State: Equatable {
        /// Nothing waits. Can go to: `.gathering`, `.ended`.
        case idle
        /// Spans wait for company. Can go to: `.sending`, `.ended`.
        case gathering(until: NIODeadline)
        /// The first `count` spans are on their way. Can go to: `.idle`, `.gathering`, `.sending`, `.resting`, `.ended`.
        case sending(count: Int, failures: Int)
        /// The collector did not take them for now. Can go to: `.sending`, `.ended`.
        case resting(until: NIODeadline, count: Int, failures: Int)
        /// Nothing is taken any more.
        case ended
    }

    enum Action: Equatable {
        case none
        /// Call `timeReached` at `deadline`.
        case wait
        /// Send the first so many spans of the queue.
        case send(Int)
        /// The process ends, and everything that could be done is done.
        case finish
    }

    enum Outcome: Equatable {
        case taken
        /// Worth another attempt, after so many seconds where the collector said when.
        case refusedForNow(retryAfter: Int?)
        /// As it is, it will never be taken.
        case refused
    }

    /// Spans and bytes that may wait; more are dropped, and counted.
    static let mostSpans = 4096
    static let mostBytes = 4 << 20
    /// Spans in one request.
    static let mostInRequest = 512
    /// The longest that a span waits for company.
    static let gatheringTime = TimeAmount.seconds(1)
    /// Attempts at one request.
    static let mostAttempts = 5
    static let delay = RetryDelay(first: .seconds(1), longest: .seconds(30))
    /// The longest rest that a collector can ask for.
    static let longestRest = TimeAmount.seconds(60)

    private(set) var state = State.idle
    private(set) var waiting = 0
    private(set) var waitingBytes = 0
    private(set) var dropped = 0
    private(set) var exported = 0
    /// Requests that failed, each attempt for itself.
    private(set) var failures = 0
    private(set) var isDraining = false

    var deadline: NIODeadline? {
        switch state {
        case .gathering(let until), .resting(let until, _, _): until
        case .idle, .sending, .ended: nil
        }
    }

    /// Whether there is room for one more span of so many bytes; counts it either way.
    mutating func takes(bytes: Int) -> Bool {
        guard state != .ended, waiting < Self.mostSpans, waitingBytes + bytes <= Self.mostBytes else {
            dropped += 1
            return false
        }
        waiting += 1
        waitingBytes += bytes
        return true
    }

    /// All spans of an exchange were taken or dropped.
    mutating func added(now: NIODeadline) -> Action {
        switch state {
        case .idle:
            guard waiting > 0 else { return .none }
            if isDraining || waiting >= Self.mostInRequest { return send() }
            state = .gathering(until: now + Self.gatheringTime)
            return .wait
        case .gathering:
            return waiting >= Self.mostInRequest ? send() : .none
        case .sending, .resting, .ended:
            return .none
        }
    }

    mutating func timeReached(now: NIODeadline) -> Action {
        switch state {
        case .gathering(let until):
            return until <= now ? send() : .wait
        case .resting(let until, let count, let failures):
            guard until <= now else { return .wait }
            state = .sending(count: count, failures: failures)
            return .send(count)
        case .idle, .sending, .ended:
            return .none
        }
    }

    /// The request is answered, or was not.
    ///
    /// - Parameters:
    ///   - bytes: of the spans in it.
    ///   - chance: uniform in 0..<1.
    /// - Returns: what to do, and how many spans of the queue's beginning are done with.
    mutating func ended(
        _ outcome: Outcome,
        bytes: Int,
        now: NIODeadline,
        chance: Double
    ) -> (action: Action, done: Int) {
        guard case .sending(let count, let earlier) = state else { return (.none, 0) }
        switch outcome {
        case .taken:
            exported += count
        case .refused:
            failures += 1
            dropped += count
        case .refusedForNow(let retryAfter):
            failures += 1
            guard isDraining || earlier + 1 >= Self.mostAttempts else {
                let rest = retryAfter.map { min(.seconds(Int64(max(0, $0))), Self.longestRest) }
                let delay = rest ?? Self.delay.delay(failures: earlier + 1, chance: chance)
                state = .resting(until: now + delay, count: count, failures: earlier + 1)
                return (.wait, 0)
            }
            dropped += count
        }
        waiting -= count
        waitingBytes -= bytes
        if waiting == 0 {
            state = isDraining ? .ended : .idle
            return (isDraining ? .finish : .none, count)
        }
        if isDraining || waiting >= Self.mostInRequest { return (send(), count) }
        state = .gathering(until: now + Self.gatheringTime)
        return (.wait, count)
    }

    /// The process is going to end: what waits is sent at once, each request once.
    mutating func drain() -> Action {
        isDraining = true
        switch state {
        case .idle:
            state = .ended
            return .finish
        case .gathering:
            return send()
        case .resting(_, let count, let failures):
            state = .sending(count: count, failures: failures)
            return .send(count)
        case .sending:
            return .none
        case .ended:
            return .finish
        }
    }

    /// The time to drain is over: what is left is dropped.
    mutating func giveUp() {
        dropped += waiting
        waiting = 0
        waitingBytes = 0
        state = .ended
    }

    private mutating func send() -> Action {
        let count = min(waiting, Self.mostInRequest)
        state = .sending(count: count, failures: 0)
        return .send(count)
    }
}
