import NIOCore
import TestSupport
import Testing

@testable import Coordination

struct ScriptTests {
    @Test("Scripts keep to what Redis 6.0 knows, and to what a cluster and other servers allow")
    func subset() {
        let commands: Set<String> = [
            "TIME", "MGET", "GET", "SET", "DEL", "ZADD", "ZREM", "ZCOUNT", "ZCARD", "ZREMRANGEBYSCORE", "PEXPIRE",
            "HINCRBY",
        ]
        for script in Script.all {
            for match in script.text.matches(of: /call\('([A-Z]+)'/) {
                #expect(commands.contains(String(match.1)), "\(script.name) calls \(match.1)")
            }
            for forbidden in ["#!", "table.unpack", "tostring", "PEXPIRETIME", "'GT'", "PXAT", "math.random"] {
                #expect(!script.text.contains(forbidden), "\(script.name) says \(forbidden)")
            }
            #expect(
                script.text.matches(of: /call\('TIME'\)/).count == 1,
                "\(script.name) asks for the time in one place"
            )
        }
    }

    @Test("With the clock of Redis itself an exchange is admitted, moved and settled")
    func realClock() async throws {
        try await withRedis { server in
            let socket = try #require(BlockingSocket(port: server.port))
            let encoder = ScriptEncoder(keys: KeySpace(namespace: "p"))
            func run(_ call: RedisScriptCall) throws -> RESPReply {
                var bytes = ByteBuffer()
                call.encode(into: &bytes, byText: true)
                return try #require(socket.replies(to: bytes, count: 1)?.first)
            }
            let scopes = [Make.scope(ClientLimits(requests: Make.rate(10), tokens: Make.rate(1000)))]
            let candidates = [Make.candidate("a"), Make.candidate("b")]
            let admission = Make.admission(1, scopes, on: candidates)
            let decision = try ScriptDecoder.decision(admission, run(encoder.call(admission)))
            let reservation = try #require(decision.reservation)
            #expect(abs(reservation.time - LocalCoordinator.wallClock()) < 60_000)
            #expect(reservation.levels == [Levels(requests: 540_000, tokens: 54_000_000)])
            let reroute = Make.reroute(admission, from: candidates[0], .timeout, to: [candidates[1]])
            guard case .rerouted = try ScriptDecoder.decision(reroute, run(encoder.call(reroute))) else {
                Issue.record("not rerouted")
                return
            }
            let beat = Beat(instance: 7, leases: [])
            #expect(try ScriptDecoder.outcome(beat, run(encoder.call(beat))).instances == 1)
            let settlement = Make.settlement(admission, actual: 400, on: candidates[1])
            #expect(try ScriptDecoder.outcome(run(encoder.call(settlement))) == .applied)
            #expect(try ScriptDecoder.outcome(run(encoder.call(settlement))) == .appliedLate)
            #expect(try ScriptDecoder.decision(admission, run(encoder.call(admission))).reservation != nil)
        }
    }

    @Test("A bucket that takes longer to fill than its day lasts is kept until it is full")
    func slowerThanADay() async throws {
        try await withRedis { server in
            let scripts = try ScriptServer(server)
            // Empty after one request, and full again thirty days later.
            let rate = Make.rate(1, burst: 43_200)
            let scope = Make.scope(ClientLimits(tokens: rate, tokensPerDay: 100_000))
            let admission = Make.admission(1, estimate: 43_200, [scope])
            #expect(try scripts.admit(admission, now: Make.now).reservation != nil)
            let key = scripts.encoder.keys.scope + scope.id.name
            let month: Int64 = 30 * 86_400_000
            #expect(try scripts.lifetimes([key])[key, default: 0] > month)
            #expect(try scripts.settle(Make.settlement(admission, actual: 43_201), now: Make.now) == .applied)
            #expect(try scripts.lifetimes([key])[key, default: 0] > month)
        }
    }

    @Test("State is kept for as long as it says more than nothing would")
    func lifetimes() async throws {
        try await withRedis { server in
            let scripts = try ScriptServer(server)
            var world = RandomWorld(seed: 11)
            var machine = LimiterState()
            for _ in 0..<600 {
                let step = world.next()
                let before = machine
                if case .admit(let admission) = step,
                    case .admission(let decision)? = machine.perform(step, now: world.now)
                {
                    world.note(admission, decision)
                } else if case .admit = step {
                    continue
                } else {
                    _ = machine.perform(step, now: world.now)
                }
                scripts.add(step, now: world.now)
                _ = try scripts.send()
                var kept: [String: Int64] = [:]
                for (id, state) in machine.scopes where before.scopes[id]?.keptUntil != state.keptUntil {
                    kept[scripts.encoder.keys.scope + id.name] = state.keptUntil - world.now
                }
                for (id, state) in machine.deployments where before.deployments[id]?.keptUntil != state.keptUntil {
                    kept[scripts.encoder.keys.deployment + id.name] = state.keptUntil - world.now
                }
                for (key, lifetime) in try scripts.lifetimes(Array(kept.keys)) {
                    #expect(lifetime > kept[key, default: 0] - Bucket.unit, "\(key): \(lifetime), \(kept[key] ?? 0)")
                }
            }
        }
    }

    @Test("Out of memory an admission writes nothing, and a settlement still releases")
    func outOfMemory() async throws {
        try await withRedis { server in
            let scripts = try ScriptServer(server)
            let scope = Make.scope(ClientLimits(tokens: Make.rate(1000), concurrency: 2))
            let admission = Make.admission(1, [scope], on: [Make.candidate("d", DeploymentLimits(concurrency: 2))])
            #expect(try scripts.admit(admission, now: Make.now).reservation != nil)
            let before = try scripts.stored()
            scripts.add("SET", "clock", String(Make.now))
            _ = try scripts.send()
            try server.command("CONFIG", "SET", "maxmemory", "1")
            let reply = try scripts.runAtSameTime(scripts.encoder.call(Make.admission(2, [scope])))
            guard case .error(let message) = reply else {
                Issue.record("\(reply)")
                return
            }
            #expect(String(decoding: message, as: UTF8.self).contains("OOM"))
            #expect(try scripts.stored() == before)
            let settlement = Make.settlement(admission, actual: 400)
            #expect(try ScriptDecoder.outcome(scripts.runAtSameTime(scripts.encoder.call(settlement))) == .applied)
            let after = try scripts.stored()
            #expect(after.keys.filter { $0.contains("l:") }.isEmpty)
            guard case .integers(let state)? = after["{0}:v1:c:team-a"] else {
                Issue.record("no state")
                return
            }
            #expect(state[2] == 600 * Bucket.unit)
        }
    }

    @Test("Malformed calls are errors and write nothing")
    func malformed() async throws {
        try await withRedis { server in
            for script in Script.all {
                for arguments in [["0"], ["1", "k", ""], ["1", "k", String(repeating: "\u{7F}", count: 160)]] {
                    let reply = try server.command("EVAL", script.text, arguments)
                    guard case .error = reply else {
                        Issue.record("\(script.name) \(arguments): \(reply)")
                        continue
                    }
                }
            }
            #expect(try server.command("DBSIZE") == .integer(0))
        }
    }
}

extension ScriptServer {
    /// A call without setting the clock before, which is a write.
    fileprivate func runAtSameTime(_ call: RedisScriptCall) throws -> RESPReply {
        addWithoutClock(call)
        return try send()[0]
    }
}

extension RedisServer {
    fileprivate func command(_ name: String, _ text: String, _ rest: [String]) throws -> RESPReply {
        guard let socket = BlockingSocket(port: port), let reply = socket.command([name, text] + rest) else {
            throw Unexpected("redis-server is silent")
        }
        return reply
    }
}
