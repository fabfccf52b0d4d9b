package import NIOCore

/// Whether Redis is worth asking. Pure: time and chance are arguments.
///
/// A slow Redis costs every request its whole deadline, so after a few failures nobody asks any more until a probe, never a
/// user's request, has shown that answers come in time again.
package struct Breaker {
    package enum State: Equatable {
        /// Commands pass. Can go to: `.open`.
        case closed(since: NIODeadline)
        /// Commands are refused at once. Can go to: `.probing`.
        case open(until: NIODeadline)
        /// Commands are refused; a probe is on its way. Can go to: `.closed`, `.open`.
        case probing
    }

    /// A change that deserves one log line and one count.
    package enum Transition: Equatable, Sendable {
        case opened(for: TimeAmount)
        case closed
    }

    /// When it opens, and for how long.
    package struct Policy: Sendable {
        package var consecutiveFailures = 5
        /// Of at least `minimumCalls` in `window`, half must fail.
        package var minimumCalls = 20
        /// Divided into ten slots, so up to a tenth of it is forgotten early.
        package var window = TimeAmount.seconds(5)
        package var firstOpening = TimeAmount.seconds(1)
        package var longestOpening = TimeAmount.seconds(15)

        package init() {}
    }

    private struct Slot {
        var number = Int64.min
        var calls = 0
        var failures = 0
    }

    package private(set) var state: State
    private let policy: Policy
    private var consecutive = 0
    /// Openings in a row; one after a quiet time of a window's length starts anew.
    private var openings = 0
    private var slots = InlineArray<10, Slot>(repeating: Slot())

    package init(policy: Policy = Policy(), now: NIODeadline) {
        self.policy = policy
        state = .closed(since: now)
    }

    package var isClosed: Bool {
        switch state {
        case .closed: true
        case .open, .probing: false
        }
    }

    /// A command was answered, with whatever answer a working Redis gives.
    package mutating func succeeded(now: NIODeadline) {
        switch state {
        case .closed:
            consecutive = 0
            count(now: now, failures: 0)
        case .open, .probing:
            // The answer to a command from before; only a probe closes.
            break
        }
    }

    /// A command was not answered, or too late, or by a Redis that cannot serve.
    ///
    /// - Parameter chance: uniform in 0..<1; spreads the openings of a fleet.
    package mutating func failed(now: NIODeadline, chance: Double) -> Transition? {
        switch state {
        case .closed(let since):
            consecutive += 1
            count(now: now, failures: 1)
            guard consecutive >= policy.consecutiveFailures || failsOftenEnough(now: now) else { return nil }
            openings = now - since >= policy.window ? 1 : openings + 1
            return open(now: now, chance: chance)
        case .open, .probing:
            return nil
        }
    }

    /// - Returns: whether a probe is to be sent now.
    package mutating func probeDue(now: NIODeadline) -> Bool {
        switch state {
        case .open(let until) where until <= now:
            state = .probing
            return true
        case .closed, .open, .probing:
            return false
        }
    }

    /// A connection has just been made and prepared: if it was connections that failed, nothing is wrong any more, so the
    /// probe need not wait for its time.
    ///
    /// - Returns: whether a probe is to be sent now.
    package mutating func connectionReady() -> Bool {
        switch state {
        case .open:
            state = .probing
            return true
        case .closed, .probing:
            return false
        }
    }

    package mutating func probeSucceeded(now: NIODeadline) -> Transition? {
        switch state {
        case .probing:
            state = .closed(since: now)
            consecutive = 0
            slots = InlineArray(repeating: Slot())
            return .closed
        case .closed, .open:
            return nil
        }
    }

    /// - Parameter chance: uniform in 0..<1.
    package mutating func probeFailed(now: NIODeadline, chance: Double) -> Transition? {
        switch state {
        case .probing:
            openings += 1
            return open(now: now, chance: chance)
        case .closed, .open:
            return nil
        }
    }

    /// Between a half and the whole of `firstOpening` doubled with every opening, at most `longestOpening`.
    private mutating func open(now: NIODeadline, chance: Double) -> Transition {
        let doubled = policy.firstOpening * (1 << min(openings - 1, 16))
        let longest = min(doubled, policy.longestOpening)
        let duration = TimeAmount.nanoseconds(Int64(Double(longest.nanoseconds) * (1 - chance / 2)))
        state = .open(until: now + duration)
        return .opened(for: duration)
    }

    private mutating func count(now: NIODeadline, failures: Int) {
        let number = Int64(now.uptimeNanoseconds) / slotLength
        let index = Int(number % 10)
        if slots[index].number != number { slots[index] = Slot(number: number) }
        slots[index].calls += 1
        slots[index].failures += failures
    }

    private func failsOftenEnough(now: NIODeadline) -> Bool {
        let oldest = Int64(now.uptimeNanoseconds) / slotLength - 9
        var calls = 0
        var failures = 0
        for index in slots.indices where slots[index].number >= oldest {
            calls += slots[index].calls
            failures += slots[index].failures
        }
        return calls >= policy.minimumCalls && failures * 2 >= calls
    }

    private var slotLength: Int64 { policy.window.nanoseconds / 10 }
}
