internal import DequeModule
internal import NIOCore

/// One connection to Redis, from the look-up of its name to its end. Pure: `RedisConnection` performs what it returns.
///
/// Redis answers in the order of the commands and its answers carry no name, so a command that missed its deadline keeps its
/// place in the line: the late answer belongs to it and to nobody else.
///
/// Whatever returns `.close` has closed the machine; the driver then takes every command that is left with `nextOrphan`.
struct RedisConnectionStateMachine<Command>: ~Copyable {
    enum State: Equatable {
        /// Can go to: `.preparing`, `.closed`.
        case connecting(until: NIODeadline)
        /// The preparation is sent, its first `answered` answers are there. Can go to: `.ready`, `.closed`.
        case preparing(answered: Int, until: NIODeadline)
        /// Takes commands. `lastUse` is when one was sent or answered. Can go to: `.draining`, `.closed`.
        case ready(lastUse: NIODeadline)
        /// Takes no commands and waits for the answers to those sent. Can go to: `.closed`.
        case draining(until: NIODeadline)
        case closed
    }

    private struct Slot {
        let command: Command
        let bytes: Int
        let sentAt: NIODeadline
        let deadline: NIODeadline
        var hasTimedOut = false
    }

    enum OnConnected: Equatable {
        case prepare(wakeUp: NIODeadline)
        /// It was given up meanwhile.
        case close
    }

    enum OnSubmit: Equatable {
        case send(wakeUp: NIODeadline)
        case refuse(RedisError)
    }

    enum OnReply {
        /// One more answer of the preparation; there are others to come.
        case wait
        case becomeReady(wakeUp: NIODeadline)
        case answer(Command, isLate: Bool)
        /// The last one of a connection that drains.
        case answerAndClose(Command, isLate: Bool)
        case close(RedisError)
        case ignore
    }

    struct OnTime {
        enum Next: Equatable {
            case sleep(until: NIODeadline)
            /// Nothing happened for long: submit a PING.
            case ping
            case close(RedisError)
        }

        /// These have missed their deadlines just now.
        var timedOut: [Command] = []
        var next: Next
    }

    enum OnDrain: Equatable {
        case close
        case wait(wakeUp: NIODeadline)
        case ignore
    }

    private(set) var state: State
    private let steps: [RedisPreparation.Step]
    private let preparationTimeout: TimeAmount
    private let pingAfter: TimeAmount
    private let limits: RedisLineLimits
    /// Sent and not answered, the oldest first. Only `.ready`, `.draining` and, until taken, `.closed` have any.
    private var line: Deque<Slot> = []
    private var bytesInLine = 0

    init(_ configuration: RedisConfiguration, steps: [RedisPreparation.Step], now: NIODeadline) {
        precondition(!steps.isEmpty, "a connection is ready when its last step is answered")
        self.steps = steps
        preparationTimeout = configuration.preparationTimeout
        pingAfter = configuration.pingAfter
        limits = configuration.lineLimits
        state = .connecting(until: now + configuration.connectTimeout)
    }

    var commandsInLine: Int { line.count }

    // MARK: events

    mutating func connected(now: NIODeadline) -> OnConnected {
        switch state {
        case .connecting:
            let until = now + preparationTimeout
            state = .preparing(answered: 0, until: until)
            return .prepare(wakeUp: until)
        case .closed:
            return .close
        case .preparing, .ready, .draining:
            preconditionFailure("a connection is opened once")
        }
    }

    mutating func submit(_ command: Command, bytes: Int, deadline: NIODeadline, now: NIODeadline) -> OnSubmit {
        switch state {
        case .connecting, .preparing, .draining, .closed:
            return .refuse(.notConnected)
        case .ready:
            guard deadline > now else { return .refuse(.timedOut(mayHaveRun: false)) }
            guard line.count < limits.commands, bytesInLine + bytes <= limits.bytes else { return .refuse(.backlog) }
            line.append(Slot(command: command, bytes: bytes, sentAt: now, deadline: deadline))
            bytesInLine += bytes
            state = .ready(lastUse: now)
            return .send(wakeUp: min(deadline, line.count > limits.waitingBehind ? stalledAt : .distantFuture))
        }
    }

    mutating func replyReceived(_ reply: RESPReply, now: NIODeadline) -> OnReply {
        switch state {
        case .connecting:
            preconditionFailure("nothing is read before the connection is open")
        case .preparing(let answered, let until):
            if let error = steps[answered].objection(to: reply) {
                state = .closed
                return .close(error)
            }
            if answered + 1 < steps.count {
                state = .preparing(answered: answered + 1, until: until)
                return .wait
            }
            state = .ready(lastUse: now)
            return .becomeReady(wakeUp: now + pingAfter)
        case .ready:
            guard let slot = takeFirst() else { return unasked() }
            state = .ready(lastUse: now)
            return .answer(slot.command, isLate: slot.hasTimedOut)
        case .draining:
            guard let slot = takeFirst() else { return unasked() }
            guard line.isEmpty else { return .answer(slot.command, isLate: slot.hasTimedOut) }
            state = .closed
            return .answerAndClose(slot.command, isLate: slot.hasTimedOut)
        case .closed:
            return .ignore
        }
    }

    /// The wake-up time that an action named has come, or an earlier one.
    mutating func timeReached(now: NIODeadline) -> OnTime {
        switch state {
        case .connecting(let until), .preparing(_, let until):
            guard until <= now else { return OnTime(next: .sleep(until: until)) }
            state = .closed
            return OnTime(next: .close(.connectTimeout))
        case .ready(let lastUse):
            let timedOut = takeTimedOut(now: now)
            if line.isEmpty {
                let ping = lastUse + pingAfter
                return OnTime(timedOut: timedOut, next: ping <= now ? .ping : .sleep(until: ping))
            }
            return OnTime(timedOut: timedOut, next: next(now: now, atMost: .distantFuture))
        case .draining(let until):
            let timedOut = takeTimedOut(now: now)
            if until <= now {
                state = .closed
                return OnTime(timedOut: timedOut, next: .close(.closedWhileDraining))
            }
            return OnTime(timedOut: timedOut, next: next(now: now, atMost: until))
        case .closed:
            return OnTime(next: .sleep(until: .distantFuture))
        }
    }

    /// No more commands: answers to what was sent are awaited until then.
    mutating func drain(until: NIODeadline) -> OnDrain {
        switch state {
        case .connecting, .preparing:
            state = .closed
            return .close
        case .ready:
            guard !line.isEmpty else {
                state = .closed
                return .close
            }
            state = .draining(until: until)
            return .wait(wakeUp: until)
        case .draining(let earlier):
            state = .draining(until: min(earlier, until))
            return .wait(wakeUp: min(earlier, until))
        case .closed:
            return .ignore
        }
    }

    /// The channel failed or ended, or what it carries is not to be trusted.
    ///
    /// - Returns: whether this ends the connection; it had not ended before.
    mutating func fails() -> Bool {
        switch state {
        case .connecting, .preparing, .ready, .draining:
            state = .closed
            return true
        case .closed:
            return false
        }
    }

    /// The next command that will have no answer, once the machine is closed.
    mutating func nextOrphan() -> (command: Command, hasTimedOut: Bool)? {
        switch state {
        case .closed: takeFirst().map { ($0.command, $0.hasTimedOut) }
        case .connecting, .preparing, .ready, .draining: preconditionFailure("its commands may still be answered")
        }
    }

    // MARK: the line

    private mutating func takeFirst() -> Slot? {
        guard let slot = line.popFirst() else { return nil }
        bytesInLine -= slot.bytes
        return slot
    }

    private mutating func unasked() -> OnReply {
        state = .closed
        return .close(.violation("an answer that nobody asked for"))
    }

    private mutating func takeTimedOut(now: NIODeadline) -> [Command] {
        var timedOut: [Command] = []
        for index in line.indices where line[index].deadline <= now && !line[index].hasTimedOut {
            line[index].hasTimedOut = true
            timedOut.append(line[index].command)
        }
        return timedOut
    }

    private mutating func next(now: NIODeadline, atMost: NIODeadline) -> OnTime.Next {
        let stalledAt = stalledAt
        if stalledAt <= now {
            state = .closed
            return .close(.stalled)
        }
        var wakeUp = min(stalledAt, atMost)
        for slot in line where !slot.hasTimedOut { wakeUp = min(wakeUp, slot.deadline) }
        return .sleep(until: wakeUp)
    }

    /// When the oldest command will have waited too long.
    private var stalledAt: NIODeadline {
        guard let oldest = line.first else { return .distantFuture }
        let alone = oldest.sentAt + limits.oldest
        guard line.count > limits.waitingBehind else { return alone }
        return min(alone, oldest.deadline + (oldest.deadline - oldest.sentAt))
    }
}

extension RedisError {
    static let closedWhileDraining = Self(
        .connectionLost,
        mayHaveRun: true,
        cause: "no answer before the connection was given up"
    )
}
