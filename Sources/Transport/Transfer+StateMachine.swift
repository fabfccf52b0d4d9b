internal import NIOCore

/// When a transfer's deadlines lie, and how it ends. Pure: `Transfer` performs what it returns.
///
/// `insideLibcurl` says that libcurl is on this loop's stack, where no handle may be removed.
struct TransferStateMachine {
    enum State: Equatable {
        /// In the pool. Can go to: `.waiting`, `.awaitingHead`, `.refused`.
        case idle
        /// In line for a connection. Can go to: `.awaitingHead`, `.idle`.
        case waiting(until: NIODeadline)
        /// Failed before libcurl had it; the observer hears of it in the loop's next turn. Can go to: `.idle`.
        case refused(ran: Bool)
        /// With libcurl, no complete head yet. Can go to: `.receiving`, `.ending`, `.idle`.
        case awaitingHead(until: NIODeadline)
        /// Head received; `since` is the last sign of life. Can go to: `.ending`, `.idle`.
        case receiving(since: NIODeadline)
        /// Ended by our side while libcurl was on the stack. Can go to: `.idle`, when it has returned.
        case ending(TransferError)
    }

    /// How a transfer ends, if it does now.
    enum End {
        case notNow
        /// libcurl is on the stack: come back with `libcurlReturned`.
        case later
        /// - Parameters:
        ///   - ran: it held a connection's place.
        ///   - removing: libcurl still has the handle.
        ///   - error: `nil` for a complete response.
        case now(ran: Bool, removing: Bool, error: TransferError?)
    }

    enum OnDeadline {
        case rearm(NIODeadline)
        case end(End)
    }

    private(set) var state: State = .idle
    private let timeouts: TransferTimeouts
    private let total: NIODeadline

    init(timeouts: TransferTimeouts, now: NIODeadline) {
        self.timeouts = timeouts
        total = now + timeouts.total
    }

    /// With libcurl, and not ended.
    var isRunning: Bool {
        switch state {
        case .awaitingHead, .receiving: true
        case .idle, .waiting, .refused, .ending: false
        }
    }

    /// The next moment at which `deadlineReached` has something to say.
    var deadline: NIODeadline {
        switch state {
        case .waiting(let until), .awaitingHead(let until): min(until, total)
        case .receiving(let since): min(since + timeouts.idle, total)
        case .idle, .refused, .ending: .distantFuture
        }
    }

    mutating func waitsForConnection(until: NIODeadline) {
        guard case .idle = state else { preconditionFailure("only a prepared transfer can wait") }
        state = .waiting(until: until)
    }

    mutating func isRefused(ran: Bool) {
        switch state {
        case .idle, .awaitingHead: state = .refused(ran: ran)
        case .waiting, .refused, .receiving, .ending: preconditionFailure("only a prepared transfer can be refused")
        }
    }

    mutating func starts(now: NIODeadline) {
        switch state {
        case .idle, .waiting: state = .awaitingHead(until: now + timeouts.firstByte)
        case .refused, .awaitingHead, .receiving, .ending: preconditionFailure("a transfer starts once")
        }
    }

    mutating func headReceived(now: NIODeadline) {
        guard isRunning else { return }
        state = .receiving(since: now)
    }

    /// More of the request left: the server cannot be late with its answer to a request that it does not have.
    mutating func bodySent(now: NIODeadline) {
        guard case .awaitingHead = state else { return }
        state = .awaitingHead(until: now + timeouts.firstByte)
    }

    /// Bytes came, or the reader that held them up takes them again.
    mutating func aliveAgain(now: NIODeadline) {
        guard case .receiving = state else { return }
        state = .receiving(since: now)
    }

    /// The response breaks a rule; found inside libcurl, which is told to stop and then returns.
    mutating func breaks(_ error: TransferError) -> End {
        guard isRunning else { return .notNow }
        state = .ending(error)
        return .later
    }

    mutating func cancelled(insideLibcurl: Bool, sent: Bool) -> End {
        switch state {
        case .idle, .ending:
            return .notNow
        case .waiting:
            return ends(ran: false, removing: false, .cancelled(sent: false))
        case .refused(let ran):
            return ends(ran: ran, removing: false, .cancelled(sent: false))
        case .awaitingHead, .receiving:
            guard insideLibcurl else { return ends(ran: true, removing: true, .cancelled(sent: sent)) }
            state = .ending(.cancelled(sent: sent))
            return .later
        }
    }

    mutating func deadlineReached(now: NIODeadline, readerHoldsUp: Bool, sent: Bool) -> OnDeadline {
        switch state {
        case .idle, .refused, .ending:
            return .end(.notNow)
        case .waiting(let until):
            guard min(until, total) <= now else { return .rearm(deadline) }
            return .end(
                ends(ran: false, removing: false, .timeout(until <= total ? .poolTimeout : .totalTimeout, sent: false))
            )
        case .awaitingHead(let until):
            guard min(until, total) <= now else { return .rearm(deadline) }
            return .end(
                ends(
                    ran: true,
                    removing: true,
                    .timeout(until <= total ? .firstByteTimeout : .totalTimeout, sent: sent)
                )
            )
        case .receiving(let since):
            if total <= now { return .end(ends(ran: true, removing: true, .timeout(.totalTimeout, sent: true))) }
            if readerHoldsUp { state = .receiving(since: now) }
            if !readerHoldsUp, since + timeouts.idle <= now {
                return .end(ends(ran: true, removing: true, .timeout(.idleTimeout, sent: true)))
            }
            return .rearm(deadline)
        }
    }

    /// libcurl reports the end of a transfer that it gave back. `error` is its own, `nil` when it is content.
    mutating func finished(_ error: TransferError?) -> End {
        switch state {
        case .idle, .waiting, .refused:
            return .notNow
        case .awaitingHead:
            return ends(ran: true, removing: false, error ?? .violation("the response ended before its head did"))
        case .receiving:
            return ends(ran: true, removing: false, error)
        case .ending(let ours):
            return ends(ran: true, removing: false, ours)
        }
    }

    /// The turn of the loop has come in which a refused transfer is told so.
    mutating func refusalDue(_ error: TransferError) -> End {
        guard case .refused(let ran) = state else { return .notNow }
        return ends(ran: ran, removing: false, error)
    }

    /// libcurl is off the stack: what was put off happens now.
    mutating func libcurlReturned() -> End {
        guard case .ending(let error) = state else { return .notNow }
        return ends(ran: true, removing: true, error)
    }

    private mutating func ends(ran: Bool, removing: Bool, _ error: TransferError?) -> End {
        state = .idle
        return .now(ran: ran, removing: removing, error: error)
    }
}
