import Coordination
import Testing
import Transport

@testable import Gateway

@Suite("What deployments say about their limits")
struct LiveLimitsTests {
    private static func candidate(tokens: Int64?, requests: Int64? = nil) -> Candidate {
        Candidate(
            id: DeploymentID(endpoint: "west", deployment: "gpt-4o"),
            limits: DeploymentLimits(
                requests: requests.flatMap { Rate(perMinute: $0) },
                tokens: tokens.flatMap { Rate(perMinute: $0) }
            )
        )
    }

    private static func fields(_ limit: Int64?, tokens: Int64? = nil, requests: Int64? = nil) -> DeploymentFields {
        var fields = DeploymentFields()
        (fields.tokenLimit, fields.tokensLeft, fields.requestsLeft) = (limit, tokens, requests)
        return fields
    }

    private static let plenty = Levels(requests: 100 * Bucket.unit, tokens: 1000 * Bucket.unit)

    @Test("is read from the head")
    func head() throws {
        let head = try ResponseHead.of(
            200,
            [
                "x-ratelimit-limit-tokens: 1000", "X-RateLimit-Remaining-Tokens: 953",
                "x-ratelimit-remaining-requests: 59", "x-ratelimit-limit-requests: 60",
            ]
        )
        #expect(DeploymentFields(head) == Self.fields(1000, tokens: 953, requests: 59))
        #expect(DeploymentFields(try ResponseHead.of(200, [])) == DeploymentFields())
    }

    @Test("is told when it is lower than what is configured, once a minute, and when that is over")
    func limit() {
        var limits = LiveLimits()
        let candidate = Self.candidate(tokens: 1000)
        func told(_ limit: Int64?, _ now: Int64) -> Int64? {
            limits.feedback(Self.fields(limit), of: candidate, levels: Self.plenty, now: now).tokenLimit
        }
        #expect(
            [
                told(1000, 0), told(nil, 0), told(400, 10), told(400, 20), told(300, 30), told(300, 60_029),
                told(300, 60_030), told(0, 60_040), told(1000, 60_050), told(1000, 60_060), told(2000, 60_070),
            ] == [nil, nil, 400, nil, 300, nil, 300, nil, 1000, nil, nil]
        )
    }

    @Test("is the limit where none is configured")
    func unlimited() {
        var limits = LiveLimits()
        let candidate = Self.candidate(tokens: nil)
        let first = limits.feedback(Self.fields(500), of: candidate, levels: Self.plenty, now: 0)
        let second = limits.feedback(Self.fields(500), of: candidate, levels: Self.plenty, now: 1)
        #expect(first.tokenLimit == 500)
        #expect(second == .none)
    }

    @Test("what is left is told only where it is less than was counted, and where there is a limit to lower")
    func left() {
        var limits = LiveLimits()
        let limited = Self.candidate(tokens: 1000, requests: 100)
        func told(_ tokens: Int64?, _ requests: Int64?, _ candidate: Candidate) -> [Int64?] {
            let feedback = limits.feedback(
                Self.fields(nil, tokens: tokens, requests: requests),
                of: candidate,
                levels: Self.plenty,
                now: 0
            )
            return [feedback.tokens, feedback.requests]
        }
        #expect(told(999, 99, limited) == [999, 99])
        #expect(told(1000, 100, limited) == [nil, nil])
        #expect(told(nil, nil, limited) == [nil, nil])
        #expect(told(-1, -1, limited) == [nil, nil])
        #expect(told(0, 0, limited) == [0, 0])
        #expect(told(0, 0, Self.candidate(tokens: nil)) == [nil, nil])
    }
}

@Suite("The beginning of a prompt")
struct PromptPrefixTests {
    private static func body(_ prompt: String, tokens: Int = 5) -> [UInt8] {
        Array("{\"max_tokens\":\(tokens),\"messages\":[{\"content\":\"\(prompt)\"}]}".utf8)
    }

    private static func prefix(_ body: [UInt8], _ client: String = "team") -> PromptPrefix? {
        body.withUnsafeBytes { PromptPrefix($0, client: client) }
    }

    @Test("is the same for the same client, whatever follows and whatever stands before it")
    func same() throws {
        let common = String(repeating: "All work and no play. ", count: 300)
        let first = try #require(Self.prefix(Self.body(common + "One question.")))
        #expect(Self.prefix(Self.body(common + "Another one.", tokens: 100)) == first)
        #expect(Self.prefix(Self.body(common + "One question."), "others") != first)
        #expect(Self.prefix(Self.body("B" + common)) != first)
        #expect(Self.prefix(Self.body("Too short to be cached.")) == nil)
        #expect(Self.prefix([]) == nil)
        #expect(Self.prefix(Array(repeating: 0x20, count: 9000)) == nil)
    }

    @Test("prefers one deployment, and of many prefixes each deployment gets as many as its weight says")
    func spread() throws {
        let route = ModelRoute(
            model: 0,
            name: "x",
            deployments: [("a", 1), ("b", 1), ("c", 2)].enumerated().map { index, entry in
                (
                    ModelRoute.Deployment(
                        endpoint: index,
                        name: entry.0,
                        isProvisioned: false,
                        tier: 1,
                        weight: entry.1,
                        nonStreamingFraction: 1,
                        openToPriority: 9
                    ),
                    Candidate(id: DeploymentID(endpoint: entry.0, deployment: "x"), limits: DeploymentLimits())
                )
            },
            defaultOutputTokens: 1,
            prefersPrefix: true
        )
        var random = SystemRandomNumberGenerator()
        var firsts = [0, 0, 0]
        for number in 0..<4000 {
            let text = String(repeating: "prompt \(number) ", count: 600)
            let prefix = try #require(Self.prefix(Self.body(text)))
            let request = CandidateOrder.Request(priority: 0, isStream: true, prefix: prefix)
            let orders = (0..<2).map { _ in
                CandidateOrder.indices(route, request, now: 0, coolUntil: { _ in 0 }, random: &random)
            }
            #expect(orders[0] == orders[1])
            firsts[orders[0][0]] += 1
        }
        #expect((850...1150).contains(firsts[0]) && (850...1150).contains(firsts[1]), "\(firsts)")
        #expect((1800...2200).contains(firsts[2]), "\(firsts)")
    }
}
