import NIOConcurrencyHelpers
import NIOCore
import TestSupport
import Testing

@testable import Coordination

/// What a server may say that a redis-server says only in a cluster, or never.
@Suite struct ScriptedRedisTests {
    private static let x = "$1\r\nx\r\n"

    @Test(arguments: [(1, nil), (2, nil), (3, RedisError.Code.tryAgain)])
    func aMovingSlotIsTriedTwiceMore(refusals: Int, code: RedisError.Code?) async throws {
        let asked = NIOLockedValueBox(0)
        try await withScriptedRedis(
            Answers { command, _ in
                if let answer = ScriptedRedis.prepare(command) { return answer }
                let count = asked.withLockedValue { count in
                    count += 1
                    return count
                }
                return count <= refusals ? "-TRYAGAIN Multiple keys request during rehashing of slot\r\n" : Self.x
            }
        ) { _, client in
            try await client.becomesReady()
            let outcome = try await client.run(.echo)
            #expect(outcome.code == code)
            #expect(outcome.elapsed >= .milliseconds(Int64(min(refusals, 2)) * 10))
            #expect(asked.withLockedValue { $0 } == min(refusals + 1, 3))
        }
    }

    @Test func aMovingSlotIsNotTriedBeyondTheDeadline() async throws {
        try await withScriptedRedis(Answers { command, _ in ScriptedRedis.prepare(command) ?? "-TRYAGAIN x\r\n" }) {
            _,
            client in
            try await client.becomesReady()
            let outcome = try await client.run(.echo, within: .milliseconds(9))
            #expect(outcome.code == .tryAgain || outcome.code == .timedOut)
            #expect(try await client.on { $0.counters.sentAgain } == 0)
        }
    }

    @Test(arguments: ["MOVED 1 127.0.0.1:7001", "ASK 1 127.0.0.1:7001"])
    func redirectionsAreSaidNotFollowed(reply: String) async throws {
        try await withScriptedRedis(Answers { command, _ in ScriptedRedis.prepare(command) ?? "-\(reply)\r\n" }) {
            _,
            client in
            try await client.becomesReady()
            guard case .failure(let error) = try await client.run(.echo).result else {
                Issue.record("succeeded")
                return
            }
            #expect(error.code == .moved || error.code == .ask)
            #expect(client.events.contains(.needsAttention(error)))
        }
    }

    @Test func aServerThatNeverKnowsAScriptIsNotAskedForEver() async throws {
        try await withScriptedRedis(
            Answers { command, _ in
                ScriptedRedis.prepare(command) ?? "-NOSCRIPT No matching script.\r\n"
            }
        ) {
            _,
            client in
            try await client.becomesReady()
            #expect(try await client.run(.echo).code == .noScript)
            #expect(try await client.on { $0.counters.sentAgain } == 1)
        }
    }

    @Test(arguments: [
        "HTTP/1.1 400 Bad Request\r\n\r\n", "*2147483647\r\n", "$9223372036854775807\r\n", "%1\r\n", ":1\r\n:2\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
    ])
    func nonsenseEndsTheConnectionAndNothingElse(answer: String) async throws {
        let isIll = NIOLockedValueBox(true)
        try await withScriptedRedis(
            Answers { command, _ in
                ScriptedRedis.prepare(command) ?? (isIll.withLockedValue { $0 } ? answer : Self.x)
            }
        ) { _, client in
            try await client.becomesReady()
            let outcome = try await client.run(.echo, within: .seconds(1))
            // The first of two answers to one question is taken for the answer.
            #expect(outcome.code == .protocolViolation || outcome.reply == .integer(1))
            try await eventually("the connection is given up") {
                client.events.contains {
                    if case .lost(let error) = $0 { error.code == .protocolViolation } else { false }
                }
            }
            isIll.withLockedValue { $0 = false }
            try await client.becomesReady()
            #expect(try await client.run(.echo).reply == .string([UInt8(ascii: "x")]))
        }
    }

    @Test func aWebServerIsNoRedis() async throws {
        try await withScriptedRedis(Answers { _, _ in "HTTP/1.1 400 Bad Request\r\n\r\n" }) { _, client in
            try await eventually("it tries again") { try await client.on { $0.counters.connections } > 1 }
            #expect(RedisServerTests.failures(client) == [.protocolViolation])
        }
    }

    @Test func aScriptUnderAnotherDigestIsNotRun() async throws {
        try await withScriptedRedis(
            Answers { command, _ in
                command.first == "SCRIPT" ? "$40\r\n\(String(repeating: "0", count: 40))\r\n" : "+OK\r\n"
            }
        ) { _, client in
            try await eventually("it tries") { !client.events.isEmpty }
            #expect(RedisServerTests.failures(client) == [.protocolViolation])
        }
    }

    @Test func distrustEndsTheConnection() async throws {
        try await withScriptedRedis(Answers { command, _ in ScriptedRedis.prepare(command) ?? Self.x }) { _, client in
            try await client.becomesReady()
            try await client.on { $0.distrust("a reply of another shape") }
            #expect(client.events.contains(.lost(.violation("a reply of another shape"))))
            try await eventually("there is another") {
                try await client.on { $0.isReady && $0.counters.connections == 2 }
            }
        }
    }

    @Test func onlyAProbeClosesTheBreaker() async throws {
        let isIll = NIOLockedValueBox(false)
        let asked = NIOLockedValueBox<[String]>([])
        try await withScriptedRedis(
            Answers { command, _ in
                if command.first == "EVALSHA", command[1] == RedisScript.echo.digest {
                    asked.withLockedValue { $0.append(command[3]) }
                    return isIll.withLockedValue { $0 } ? "-LOADING x\r\n" : Self.x
                }
                // Probes fail as well until the test lets them pass, however slow the machine is.
                if isIll.withLockedValue({ $0 }), command.first == "PING" { return "-LOADING x\r\n" }
                return ScriptedRedis.prepare(command) ?? Self.x
            },
            firstOpening: .milliseconds(50)
        ) { _, client in
            try await client.becomesReady()
            isIll.withLockedValue { $0 = true }
            for number in 0..<5 { #expect(try await client.run(.echo, arguments: ["\(number)"]).code == .loading) }
            #expect(try await client.on { $0.breaker.isClosed } == false)
            #expect(try await client.run(.echo, arguments: ["refused"]).code == .breakerOpen)
            #expect(!client.events.contains(.breakerClosed))
            isIll.withLockedValue { $0 = false }
            try await eventually("a probe closes it") { client.events.last == .breakerClosed }
            #expect(asked.withLockedValue { $0.count } == 5, "the probe was none of ours")
        }
    }
}
