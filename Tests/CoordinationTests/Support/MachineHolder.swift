import NIOCore

@testable import Coordination

/// A machine that cannot be copied, held so that `#expect` can ask it.
final class MachineHolder {
    private var machine: RedisConnectionStateMachine<Int>

    init(_ machine: consuming RedisConnectionStateMachine<Int>) { self.machine = machine }

    typealias Machine = RedisConnectionStateMachine<Int>

    var state: Machine.State { machine.state }
    var commandsInLine: Int { machine.commandsInLine }

    func connected(now: NIODeadline) -> Machine.OnConnected { machine.connected(now: now) }

    func submit(_ command: Int, bytes: Int, deadline: NIODeadline, now: NIODeadline) -> Machine.OnSubmit {
        machine.submit(command, bytes: bytes, deadline: deadline, now: now)
    }

    func replyReceived(_ reply: RESPReply, now: NIODeadline) -> Machine.OnReply {
        machine.replyReceived(reply, now: now)
    }

    func timeReached(now: NIODeadline) -> Machine.OnTime { machine.timeReached(now: now) }

    func drain(until: NIODeadline) -> Machine.OnDrain { machine.drain(until: until) }

    func fails() -> Bool { machine.fails() }

    func nextOrphan() -> (command: Int, hasTimedOut: Bool)? { machine.nextOrphan() }
}
