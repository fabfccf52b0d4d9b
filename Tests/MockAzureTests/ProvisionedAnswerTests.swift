import NIOHTTP1
import Testing

@testable import MockAzure

/// azure.md 5.3: provisioned deployments and where they spill over to.
@Suite("A provisioned deployment")
struct ProvisionedAnswerTests {
    /// 5 tokens of prompt and 95 of max_tokens: 100. The answer has 16 words: 21 in truth.
    private static let hundred = #""max_tokens":95"#

    private func utilization(_ mock: Mock) throws -> Int {
        let deployment = try #require(mock.resource.deployments["ptu"])
        return try #require(deployment.limiter.utilization(now: mock.now))
    }

    @Test("tells no x-ratelimit headers")
    func noHeaders() throws {
        let reply = try Mock("ptu,provisioned=100").chat("ptu")
        #expect(reply.status == 200)
        #expect(!reply.headers.contains { $0.name.hasPrefix("x-ratelimit") })
        #expect(reply.header("x-ms-deployment-name") == "ptu")
    }

    @Test("refuses above 100 % and says when it is below, to the millisecond")
    func refusal() throws {
        // A token each 600 ms.
        let mock = try Mock("ptu,provisioned=100")
        let open = try mock.begin(chat: "ptu", Self.hundred)
        let burst = try mock.begin(chat: "ptu", #""max_tokens":5"#)
        #expect(try self.utilization(mock) == 110)
        let refused = try mock.chat("ptu")
        #expect(refused.status == 429)
        #expect(refused.header("retry-after-ms") == "6000")
        #expect(refused.header("retry-after") == "6")
        #expect(
            refused.body == #"{"error":{"code":"429","message":"Rate limit is exceeded. Try again in 6 seconds."}}"#
        )
        mock.now = 5_999
        #expect(try mock.chat("ptu").header("retry-after-ms") == "1")
        mock.now = 6_000
        #expect(try mock.chat("ptu").status == 200)
        _ = try (open.finish(), burst.finish())
    }

    @Test("corrects its estimate when the answer ends", arguments: [false, true])
    func correction(stream: Bool) throws {
        let mock = try Mock("ptu,provisioned=100")
        let exchange = try mock.begin(chat: "ptu", Self.hundred + #","stream":\#(stream)"#)
        #expect(try self.utilization(mock) == 100)
        #expect(try exchange.finish().status == 200)
        #expect(try self.utilization(mock) == 21)
    }

    @Test("takes back the estimate of a request that failed or that nobody waited for")
    func failure() throws {
        let mock = try Mock("ptu,provisioned=100")
        #expect(try mock.chat("ptu", Self.hundred + #","mock":{"status":500}"#).status == 500)
        #expect(try self.utilization(mock) == 0)
        try mock.begin(chat: "ptu", Self.hundred).abandon()
        #expect(try self.utilization(mock) == 0)
    }

    @Test("takes more than it estimated, if that is the truth")
    func underestimate() throws {
        let mock = try Mock("ptu,provisioned=100")
        #expect(try mock.chat("ptu", #""mock":{"tokens":195}"#).status == 200)
        #expect(try self.utilization(mock) == 200)
        #expect(try mock.chat("ptu").header("retry-after-ms") == "60000")
    }

    // MARK: Spillover

    @Test("spills over to the deployment it names, which says so")
    func spillover() throws {
        let mock = try Mock("ptu,provisioned=100,spillover=gpt-4o", "gpt-4o,tpm=1000")
        _ = try mock.begin(chat: "ptu", #""max_tokens":96"#)
        let reply = try mock.chat("ptu", Self.hundred)
        #expect(reply.status == 200)
        #expect(reply.header("x-ms-spillover-from-deployment") == "ptu")
        #expect(reply.header("x-ms-deployment-name") == "gpt-4o")
        #expect(reply.header("x-ms-spillover-error") == nil)
        #expect(reply.number("x-ratelimit-remaining-tokens") == 900)
        #expect(reply.body.contains(#""model":"gpt-4o""#))
        #expect(
            try mock.stats(of: "ptu") == #"{"requests":1,"by_status":{"200":1},"refused":{},"spilled_to":{"gpt-4o":1},"#
        )
    }

    @Test("spills over on the surface v1 as well")
    func spilloverOnV1() throws {
        let mock = try Mock("ptu,provisioned=100,spillover=gpt-4o", "gpt-4o")
        _ = try mock.begin(chat: "ptu", #""max_tokens":96"#)
        let reply = try mock.send(.POST, "/openai/v1/chat/completions", body: Mock.chatBody(#""model":"ptu""#))
        #expect(reply.header("x-ms-deployment-name") == "gpt-4o")
    }

    @Test(
        "spills over on these failures",
        arguments: ["status=500", "status=503", "error=context-length", "error=capacity"]
    )
    func triggers(fault: String) throws {
        let mock = try Mock("ptu,provisioned=100,spillover=gpt-4o", "gpt-4o")
        let reply = try mock.chat("ptu", #""user":"mock:\#(fault)""#)
        #expect(reply.status == 200)
        #expect(reply.header("x-ms-spillover-from-deployment") == "ptu")
        #expect(try self.utilization(mock) == 0)
    }

    @Test(
        "does not spill over on other failures",
        arguments: ["status=400", "status=401", "status=404", "status=408", "status=502"]
    )
    func noTriggers(fault: String) throws {
        let mock = try Mock("ptu,provisioned=100,spillover=gpt-4o", "gpt-4o")
        let reply = try mock.chat("ptu", #""user":"mock:\#(fault)""#)
        #expect(reply.status != 200)
        #expect(reply.header("x-ms-spillover-from-deployment") == nil)
    }

    @Test("lets a request name the deployment, unless it has its own")
    func requestHeader() throws {
        let headers: HTTPHeaders = ["api-key": "key", "x-ms-spillover-deployment": "second"]
        for (specification, served) in [
            ("ptu,provisioned=100", "second"), ("ptu,provisioned=100,spillover=first", "first"),
        ] {
            let mock = try Mock(specification, "first", "second")
            _ = try mock.begin(chat: "ptu", #""max_tokens":96"#)
            #expect(try mock.chat("ptu", headers: headers).header("x-ms-deployment-name") == served)
        }
        // A standard deployment does not spill over.
        let standard = try Mock("gpt-4o,tpm=0", "second")
        #expect(try standard.chat("gpt-4o", headers: headers).status == 429)
    }

    @Test("gives its own refusal when the other deployment fails too, and says how that failed")
    func failedSpillover() throws {
        let mock = try Mock("ptu,provisioned=100,spillover=gpt-4o", "gpt-4o,tpm=0")
        _ = try mock.begin(chat: "ptu", #""max_tokens":96"#)
        let refused = try mock.chat("ptu")
        #expect(refused.status == 429)
        #expect(refused.header("x-ms-spillover-error") == "429")
        #expect(refused.header("x-ms-spillover-from-deployment") == nil)
        #expect(refused.header("x-ms-deployment-name") == "ptu")
        #expect(refused.body.contains("Rate limit is exceeded."))
        let headers: HTTPHeaders = ["api-key": "key", "x-ms-spillover-deployment": "nowhere"]
        let other = try Mock("ptu,provisioned=100")
        _ = try other.begin(chat: "ptu", #""max_tokens":96"#)
        #expect(try other.chat("ptu", headers: headers).header("x-ms-spillover-error") == "404")
    }
}
