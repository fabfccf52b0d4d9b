import Foundation
import NIOCore
import Testing

@testable import Coordination

/// What the scripts cost Redis, which is the ceiling of a fleet. `make scripts-cost` prints it and holds it against the bar; in
/// other runs, beside other tests, the times say little and only the calls are checked.
@Suite(.serialized)
struct ScriptCostTests {
    private static let isMeasured = ProcessInfo.processInfo.environment["SLUICE_SCRIPTS_COST"] != nil
    /// Microseconds for an admission and its settlement with requests and tokens per minute and two deployments.
    private static let bar = 30.0

    private struct Case {
        let name: String
        let scopes: [ClientScope]
        let candidates: [Candidate]
        var actual: Int64 = 700
        var feedback = Feedback.none
    }

    private static let rates = (Make.rate(6_000_000, burst: 100_000_000), Make.rate(6_000_000, burst: 100_000_000))

    private static let cases: [Case] = {
        let limits = ClientLimits(requests: rates.0, tokens: rates.1)
        let room = DeploymentLimits(requests: rates.0, tokens: rates.1)
        var quotas = limits
        quotas.tokensPerDay = 1_000_000_000_000
        quotas.tokensPerMonth = 1_000_000_000_000
        var slots = limits
        slots.concurrency = 1_000_000
        var slotsThere = room
        slotsThere.concurrency = 1_000_000
        let scope = Make.scope(limits)
        let deployments = [Make.candidate("gpt-4o-ptu", room), Make.candidate("gpt-4o", room)]
        return [
            Case(name: "requests and tokens per minute", scopes: [scope], candidates: deployments),
            Case(
                name: "with headers of the deployment",
                scopes: [scope],
                candidates: deployments,
                feedback: Feedback(requests: 1_000_000, tokens: 1_000_000_000)
            ),
            Case(name: "with an overrun", scopes: [scope], candidates: deployments, actual: 1300),
            Case(name: "with quotas", scopes: [Make.scope(quotas)], candidates: deployments),
            Case(
                name: "with limits of client and model",
                scopes: [scope, Make.scope(limits, "team-a/gpt-4o")],
                candidates: deployments
            ),
            Case(
                name: "with concurrency limits",
                scopes: [Make.scope(slots)],
                candidates: [Make.candidate("gpt-4o-ptu", slotsThere), Make.candidate("gpt-4o", slotsThere)]
            ),
        ]
    }()

    @Test("An admission and its settlement stay below the bar")
    func cost() async throws {
        try await withRedis { server in
            let socket = try #require(BlockingSocket(port: server.port))
            for script in Script.all { _ = socket.command(["SCRIPT", "LOAD", script.text]) }
            var admissions: [[Double]] = Array(repeating: [], count: Self.cases.count)
            var settlements = admissions
            var sequence: UInt64 = 0
            // The cases take turns, so that a busy moment of the machine meets all of them.
            for _ in 0..<(Self.isMeasured ? 200 : 2) {
                for (index, what) in Self.cases.enumerated() {
                    admissions[index].append(
                        try microseconds(socket, from: sequence, expect: .array([.integer(0)])) { encoder, sequence in
                            encoder.call(Self.admission(what, sequence))
                        }
                    )
                    settlements[index].append(
                        try microseconds(socket, from: sequence, expect: .integer(1)) { encoder, sequence in
                            encoder.call(Self.settlement(what, sequence))
                        }
                    )
                    sequence += Self.callsPerBatch
                }
            }
            guard Self.isMeasured else { return }
            for (index, what) in Self.cases.enumerated() {
                let (admit, settle) = (lowDecile(admissions[index]), lowDecile(settlements[index]))
                let name = what.name.padding(toLength: 34, withPad: " ", startingAt: 0)
                print("\(name) admit \(round(admit)) us, settle \(round(settle)) us, both \(round(admit + settle)) us")
            }
            #expect(lowDecile(admissions[0]) + lowDecile(settlements[0]) <= Self.bar)
        }
    }

    private static let callsPerBatch: UInt64 = 50

    private static func admission(_ what: Case, _ sequence: UInt64) -> Admission {
        Make.admission(sequence, estimate: 1200, what.scopes, on: what.candidates)
    }

    private static func settlement(_ what: Case, _ sequence: UInt64) -> Settlement {
        Settlement(
            lease: Make.lease(sequence),
            estimate: 1200,
            actual: what.actual,
            admitted: LocalCoordinator.wallClock(),
            scopes: what.scopes,
            deployment: what.candidates[0],
            succeeded: true,
            feedback: what.feedback,
            usage: Usage(
                day: 20_260_320,
                client: ScopeID(client: "team-a"),
                deployment: what.candidates[0].id,
                counts: Usage.Counts(requests: 1, input: 500, output: 200)
            ),
            authority: .shared
        )
    }

    /// Mean microseconds of Redis time in a batch of calls.
    private func microseconds(
        _ socket: BlockingSocket,
        from sequence: UInt64,
        expect: RESPReply,
        _ call: (ScriptEncoder, UInt64) -> RedisScriptCall
    ) throws -> Double {
        _ = socket.command(["CONFIG", "RESETSTAT"])
        let encoder = ScriptEncoder(keys: KeySpace())
        var bytes = ByteBuffer()
        for offset in 0..<Self.callsPerBatch { call(encoder, sequence + offset).encode(into: &bytes, byText: false) }
        for reply in try #require(socket.replies(to: bytes, count: Int(Self.callsPerBatch))) {
            #expect((reply.array?.first ?? reply) == (expect.array?.first ?? expect))
        }
        let statistics = socket.command(["INFO", "commandstats"])?.text ?? ""
        let match = try #require(statistics.firstMatch(of: /cmdstat_evalsha:.*?usec_per_call=([0-9.]+)/))
        return try #require(Double(match.1))
    }

    /// What a batch takes that nothing else on the machine came between.
    private func lowDecile(_ values: [Double]) -> Double { values.sorted()[values.count / 10] }

    private func round(_ value: Double) -> Double { (value * 10).rounded() / 10 }
}
