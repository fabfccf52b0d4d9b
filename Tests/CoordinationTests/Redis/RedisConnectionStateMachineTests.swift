import NIOCore
import Testing

@testable import Coordination

/// Every state meets every event; the action is checked, and the state afterwards.
@Suite struct RedisConnectionStateMachineTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private static let ok = RESPReply.status(Array("OK".utf8))
    private static let digest = RESPReply.string(Array("abc".utf8))
    private static let steps: [RedisPreparation.Step] = [.authenticate, .name, .select, .load(digest: "abc")]

    private static func at(_ milliseconds: Int64) -> NIODeadline { start + .milliseconds(milliseconds) }

    static func connecting() -> MachineHolder {
        var configuration = RedisConfiguration(address: RedisAddress(host: "localhost"))
        configuration.lineLimits.commands = 8
        configuration.lineLimits.bytes = 1_000
        return MachineHolder(RedisConnectionStateMachine(configuration, steps: steps, now: start))
    }

    private static func preparing() -> MachineHolder {
        let machine = connecting()
        _ = machine.connected(now: start)
        return machine
    }

    /// With commands 0, 1, ... in the line, one per millisecond, each with a deadline of 75 ms.
    static func ready(commands: Int = 0) -> MachineHolder {
        let machine = preparing()
        for reply in [ok, ok, ok, digest] { _ = machine.replyReceived(reply, now: start) }
        for command in 0..<commands {
            let now = at(Int64(command))
            _ = machine.submit(command, bytes: 10, deadline: now + .milliseconds(75), now: now)
        }
        return machine
    }

    private static func draining(commands: Int = 2) -> MachineHolder {
        let machine = ready(commands: commands)
        _ = machine.drain(until: at(500))
        return machine
    }

    private static func closed(commands: Int = 0) -> MachineHolder {
        let machine = ready(commands: commands)
        _ = machine.fails()
        return machine
    }

    // MARK: connecting

    @Test func connectingMeetsEveryEvent() {
        let machine = Self.connecting()
        #expect(machine.state == .connecting(until: Self.at(2_000)))
        #expect(machine.submit(0, bytes: 1, deadline: .distantFuture, now: Self.start) == .refuse(.notConnected))
        let early = machine.timeReached(now: Self.at(1_999))
        #expect(early.next == .sleep(until: Self.at(2_000)))
        #expect(machine.state == .connecting(until: Self.at(2_000)))

        #expect(machine.connected(now: Self.at(5)) == .prepare(wakeUp: Self.at(2_005)))
        #expect(machine.state == .preparing(answered: 0, until: Self.at(2_005)))

        let late = Self.connecting()
        #expect(late.timeReached(now: Self.at(2_000)).next == .close(.connectTimeout))
        #expect(late.state == .closed)

        let drained = Self.connecting()
        #expect(drained.drain(until: Self.at(9)) == .close)
        #expect(drained.state == .closed)

        let failed = Self.connecting()
        #expect(failed.fails())
        #expect(failed.state == .closed)
    }

    // MARK: preparing

    @Test func preparingMeetsEveryEvent() {
        let machine = Self.preparing()
        #expect(machine.submit(0, bytes: 1, deadline: .distantFuture, now: Self.start) == .refuse(.notConnected))
        #expect(machine.timeReached(now: Self.at(1)).next == .sleep(until: Self.at(2_000)))
        for (index, reply) in [Self.ok, Self.ok, Self.ok].enumerated() {
            guard case .wait = machine.replyReceived(reply, now: Self.at(1)) else {
                Issue.record("step \(index)")
                return
            }
            #expect(machine.state == .preparing(answered: index + 1, until: Self.at(2_000)))
        }
        guard case .becomeReady(Self.at(30_001)) = machine.replyReceived(Self.digest, now: Self.at(1)) else {
            Issue.record("not ready after the last step")
            return
        }
        #expect(machine.state == .ready(lastUse: Self.at(1)))

        let late = Self.preparing()
        #expect(late.timeReached(now: Self.at(2_000)).next == .close(.connectTimeout))
        #expect(late.state == .closed)

        let drained = Self.preparing()
        #expect(drained.drain(until: Self.at(9)) == .close)
        #expect(drained.state == .closed)

        let failed = Self.preparing()
        #expect(failed.fails())
        #expect(failed.state == .closed)
    }

    @Test(arguments: [
        (0, RESPReply.error(Array("WRONGPASS invalid".utf8)), RedisError.Code.wrongPassword),
        (0, .error(Array("ERR max number of clients reached".utf8)), .tooManyClients),
        (0, .integer(1), .protocolViolation),
        (1, .error(Array("ERR max number of clients reached".utf8)), .tooManyClients),
        (1, .error(Array("DENIED Redis is running in protected mode".utf8)), .denied),
        (2, .error(Array("ERR DB index is out of range".utf8)), .other),
        (2, .null, .protocolViolation),
        (3, .error(Array("LOADING Redis is loading".utf8)), .loading),
        (3, .error(Array("NOAUTH Authentication required.".utf8)), .noAuthentication),
        (3, .string(Array("abd".utf8)), .protocolViolation),
    ])
    func aStepThatFailsEndsTheConnection(step: Int, reply: RESPReply, code: RedisError.Code) {
        let machine = Self.preparing()
        for _ in 0..<step { _ = machine.replyReceived(Self.ok, now: Self.start) }
        guard case .close(let error) = machine.replyReceived(reply, now: Self.start) else {
            Issue.record("kept")
            return
        }
        #expect(error.code == code)
        #expect(machine.state == .closed)
    }

    @Test func theAnswerToTheNameDoesNotMatter() {
        for reply in [RESPReply.error(Array("ERR unknown command".utf8)), .null, .error(Array("NOAUTH x".utf8))] {
            let machine = Self.preparing()
            _ = machine.replyReceived(Self.ok, now: Self.start)
            guard case .wait = machine.replyReceived(reply, now: Self.start) else {
                Issue.record("closed by \(reply)")
                return
            }
            #expect(machine.state == .preparing(answered: 2, until: Self.at(2_000)))
        }
    }

    // MARK: ready

    @Test func readyTakesCommandsAndAnswersThemInOrder() {
        let machine = Self.ready()
        #expect(machine.submit(7, bytes: 1, deadline: Self.at(75), now: Self.start) == .send(wakeUp: Self.at(75)))
        #expect(machine.submit(8, bytes: 1, deadline: Self.at(80), now: Self.at(5)) == .send(wakeUp: Self.at(80)))
        #expect(machine.state == .ready(lastUse: Self.at(5)))
        for (command, time) in [(7, Int64(6)), (8, 9)] {
            guard case .answer(command, false) = machine.replyReceived(.null, now: Self.at(time)) else {
                Issue.record("\(command) was not answered")
                return
            }
            #expect(machine.state == .ready(lastUse: Self.at(time)))
        }
        #expect(machine.commandsInLine == 0)
    }

    @Test func readyRefusesWhatIsTooMuchOrTooLate() {
        let machine = Self.ready(commands: 8)
        #expect(machine.submit(9, bytes: 1, deadline: .distantFuture, now: Self.at(9)) == .refuse(.backlog))
        #expect(machine.commandsInLine == 8)
        _ = machine.replyReceived(.null, now: Self.at(9))
        #expect(machine.submit(9, bytes: 931, deadline: .distantFuture, now: Self.at(9)) == .refuse(.backlog))
        let due = RedisError.timedOut(mayHaveRun: false)
        #expect(machine.submit(9, bytes: 1, deadline: Self.at(9), now: Self.at(9)) == .refuse(due))
        guard case .send = machine.submit(9, bytes: 930, deadline: .distantFuture, now: Self.at(9)) else {
            Issue.record("refused although it fits exactly")
            return
        }
        #expect(machine.state == .ready(lastUse: Self.at(9)))
    }

    @Test func readyClosesOnAnAnswerThatNobodyAskedFor() {
        let machine = Self.ready()
        guard case .close(let error) = machine.replyReceived(.null, now: Self.at(1)) else {
            Issue.record("kept")
            return
        }
        #expect(error.code == .protocolViolation)
        #expect(machine.state == .closed)
    }

    @Test func aMissedDeadlineKeepsItsPlaceInTheLine() {
        let machine = Self.ready(commands: 2)
        let first = machine.timeReached(now: Self.at(75))
        #expect(first.timedOut == [0])
        #expect(first.next == .sleep(until: Self.at(76)))
        let second = machine.timeReached(now: Self.at(76))
        #expect(second.timedOut == [1])
        #expect(second.next == .sleep(until: Self.at(5_000)))
        #expect(machine.timeReached(now: Self.at(77)).timedOut.isEmpty)
        #expect(machine.commandsInLine == 2)
        guard case .answer(0, true) = machine.replyReceived(.null, now: Self.at(80)) else {
            Issue.record("the late answer belongs to the oldest command")
            return
        }
        #expect(machine.state == .ready(lastUse: Self.at(80)))
    }

    @Test func readyClosesWhenTheOldestHoldsUpFiveOthers() {
        let five = Self.ready(commands: 5)
        #expect(five.timeReached(now: Self.at(200)).next == .sleep(until: Self.at(5_000)))
        #expect(five.state == .ready(lastUse: Self.at(4)))
        #expect(five.submit(5, bytes: 1, deadline: Self.at(300), now: Self.at(200)) == .send(wakeUp: Self.at(150)))
        let stalled = five.timeReached(now: Self.at(200))
        #expect(stalled.next == .close(.stalled))
        #expect(five.state == .closed)
        var orphans: [Int] = []
        var timedOut: [Bool] = []
        while let orphan = five.nextOrphan() {
            orphans.append(orphan.command)
            timedOut.append(orphan.hasTimedOut)
        }
        #expect(orphans == [0, 1, 2, 3, 4, 5])
        #expect(timedOut == [true, true, true, true, true, false])

        let six = Self.ready(commands: 6)
        #expect(six.timeReached(now: Self.at(149)).next == .sleep(until: Self.at(150)))
        #expect(six.timeReached(now: Self.at(150)).next == .close(.stalled))
    }

    @Test func readyClosesWhenTheOldestWaitsForFiveSeconds() {
        let machine = Self.ready(commands: 1)
        #expect(machine.timeReached(now: Self.at(4_999)).next == .sleep(until: Self.at(5_000)))
        #expect(machine.timeReached(now: Self.at(5_000)).next == .close(.stalled))
        #expect(machine.state == .closed)
    }

    @Test func readyPingsWhenIdle() {
        let machine = Self.ready()
        #expect(machine.timeReached(now: Self.at(29_999)).next == .sleep(until: Self.at(30_000)))
        #expect(machine.timeReached(now: Self.at(30_000)).next == .ping)
        #expect(machine.state == .ready(lastUse: Self.start))
    }

    @Test func readyDrainsOrFails() {
        let idle = Self.ready()
        #expect(idle.drain(until: Self.at(500)) == .close)
        #expect(idle.state == .closed)
        let busy = Self.ready(commands: 1)
        #expect(busy.drain(until: Self.at(500)) == .wait(wakeUp: Self.at(500)))
        #expect(busy.state == .draining(until: Self.at(500)))
        let failed = Self.ready(commands: 1)
        #expect(failed.fails())
        #expect(failed.state == .closed)
    }

    // MARK: draining

    @Test func drainingMeetsEveryEvent() {
        let machine = Self.draining()
        #expect(machine.submit(0, bytes: 1, deadline: .distantFuture, now: Self.start) == .refuse(.notConnected))
        let reached = machine.timeReached(now: Self.at(75))
        #expect(reached.timedOut == [0])
        #expect(reached.next == .sleep(until: Self.at(76)))
        #expect(machine.drain(until: Self.at(900)) == .wait(wakeUp: Self.at(500)))
        #expect(machine.drain(until: Self.at(400)) == .wait(wakeUp: Self.at(400)))
        #expect(machine.state == .draining(until: Self.at(400)))
        guard case .answer(0, true) = machine.replyReceived(.null, now: Self.at(76)) else {
            Issue.record("not answered")
            return
        }
        #expect(machine.state == .draining(until: Self.at(400)))
        guard case .answerAndClose(1, false) = machine.replyReceived(.null, now: Self.at(76)) else {
            Issue.record("not closed with the last answer")
            return
        }
        #expect(machine.state == .closed)

        let late = Self.draining()
        let end = late.timeReached(now: Self.at(500))
        #expect(end.timedOut == [0, 1])
        #expect(end.next == .close(.closedWhileDraining))
        #expect(late.state == .closed)

        let failed = Self.draining()
        #expect(failed.fails())
        #expect(failed.state == .closed)
    }

    // MARK: closed

    @Test func closedMeetsEveryEvent() {
        let machine = Self.closed(commands: 1)
        #expect(machine.connected(now: Self.start) == .close)
        #expect(machine.submit(0, bytes: 1, deadline: .distantFuture, now: Self.start) == .refuse(.notConnected))
        guard case .ignore = machine.replyReceived(.null, now: Self.start) else {
            Issue.record("a reply is ignored")
            return
        }
        #expect(machine.timeReached(now: Self.at(1_000)).next == .sleep(until: .distantFuture))
        #expect(machine.drain(until: Self.start) == .ignore)
        #expect(!machine.fails())
        #expect(machine.nextOrphan()?.command == 0)
        #expect(machine.nextOrphan() == nil)
        #expect(machine.state == .closed)
    }

    // MARK: what only our own mistake can cause

    @Test func mistakesOfOursStopTheProcess() async {
        await #expect(processExitsWith: .failure) {
            let machine = RedisConnectionStateMachineTests.ready()
            _ = machine.connected(now: .now())
        }
        await #expect(processExitsWith: .failure) {
            let machine = RedisConnectionStateMachineTests.connecting()
            _ = machine.replyReceived(.null, now: .now())
        }
        await #expect(processExitsWith: .failure) {
            let machine = RedisConnectionStateMachineTests.ready(commands: 1)
            _ = machine.nextOrphan()
        }
    }
}
