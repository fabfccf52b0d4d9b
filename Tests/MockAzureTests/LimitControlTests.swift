import NIOCore
import Testing

@testable import MockAzure

@Suite("The limits of a running mock")
struct LimitControlTests {
    private func post(_ mock: Mock, _ body: String) -> (status: Int, text: String) {
        let control = LimitControl(deployments: mock.resource.deployments)
        let answer = control.answer(ByteBuffer(string: body), changes: true, now: mock.now)
        guard case .whole(let text) = answer.body else { return (answer.status, "") }
        return (answer.status, String(buffer: text))
    }

    @Test("can be lowered for a while, which answers tell at once")
    func reduction() throws {
        let mock = try Mock("gpt-4o,tpm=1000")
        #expect(try mock.chat("gpt-4o").number("x-ratelimit-limit-tokens") == 1_000)
        let told = self.post(mock, #"{"deployment":"gpt-4o","effective-tpm":100}"#)
        #expect(told.status == 200)
        let expected = """
            {"deployments":{"gpt-4o":{"kind":"chat","tpm":1000,"effective-tpm":100,"remaining-tokens":79}}}
            """
        #expect(told.text == expected)
        #expect(try mock.chat("gpt-4o").number("x-ratelimit-limit-tokens") == 100)
        #expect(try mock.chat("gpt-4o", #""max_tokens":100"#).status == 429)
        #expect(self.post(mock, #"{"deployment":"gpt-4o","effective-tpm":null}"#).status == 200)
        #expect(try mock.chat("gpt-4o", #""max_tokens":100"#).status == 200)
    }

    @Test("can be set and taken away")
    func settings() throws {
        let mock = try Mock("ptu", "gpt-4o")
        let body = #"{"deployment":"ptu","provisioned":"100","spillover":"gpt-4o"}"#
        #expect(
            self.post(mock, body).text.contains(
                #""ptu":{"kind":null,"provisioned":100,"spillover":"gpt-4o","utilization":0}"#
            )
        )
        #expect(try mock.chat("ptu", #""mock":{"status":500}"#).header("x-ms-spillover-from-deployment") == "ptu")
        #expect(
            self.post(mock, #"{"deployment":"ptu","provisioned":null,"spillover":null}"#).text.contains(
                #""ptu":{"kind":null}"#
            )
        )
        #expect(try mock.chat("ptu", #""mock":{"status":500}"#).status == 500)
    }

    @Test(
        "refuse what makes no sense, and stay as they are",
        arguments: [
            ("", "could not parse"),
            ("{}", "which deployment?"),
            (#"{"deployment":"other","tpm":1}"#, "no deployment was started by the name 'other'"),
            (#"{"deployment":"gpt-4o","tmp":1}"#, "there is no 'tmp'; there are deployment, tpm"),
            (#"{"deployment":"gpt-4o","tpm":"x"}"#, "tpm is an integer"),
            (#"{"deployment":"gpt-4o","tpm":true}"#, "expected a number"),
            (#"{"deployment":"gpt-4o","tpm":7,"provisioned":7}"#, "a provisioned deployment has no tpm"),
            (
                #"{"deployment":"gpt-4o","tpm":null,"provisioned":7,"spillover":"x"}"#,
                "no deployment 'x' to spill over to"
            ),
        ]
    )
    func refusals(body: String, reason: String) throws {
        let mock = try Mock("gpt-4o,tpm=5")
        let told = self.post(mock, body)
        #expect(told.status == 400)
        #expect(told.text.contains(reason))
        #expect(mock.resource.deployments["gpt-4o"]?.limiter.settings.tokensPerMinute == 5)
        #expect(mock.resource.deployments["gpt-4o"]?.limiter.settings.provisioned == nil)
    }

    @Test("are counted anew after a reset")
    func reset() throws {
        let mock = try Mock("gpt-4o,tpm=21", "ptu,provisioned=1")
        _ = try mock.begin(chat: "ptu")
        #expect(try mock.chat("gpt-4o").status == 200)
        #expect(try mock.chat("gpt-4o").status == 429)
        #expect(try mock.chat("ptu").status == 429)
        mock.resource.deployments.restartLimits()
        #expect(try mock.chat("gpt-4o").status == 200)
        #expect(try mock.chat("ptu").status == 200)
    }

    @Test("leave their refusals in the books, by kind, with requests and tokens, for each deployment")
    func books() throws {
        let mock = try Mock("gpt-4o,tpm=100,rpm=180", "ptu,provisioned=20")
        #expect(try mock.chat("gpt-4o").status == 200)
        #expect(try mock.chat("gpt-4o", #""max_tokens":100"#).status == 429)
        #expect(try mock.chat("gpt-4o", #""mock":{"error":"high-demand"}"#).status == 429)
        #expect(try mock.chat("gpt-4o").status == 429)
        #expect(try mock.chat("ptu", #""mock":{"cached-tokens":3}"#).status == 200)
        #expect(try mock.chat("ptu").status == 429)
        #expect(try mock.chat("other").status == 404)
        let expected = """
            "deployments":{"gpt-4o":{"requests":4,"by_status":{"200":1,"429":3},\
            "refused":{"calls":1,"high-demand":1,"tokens":1},"spilled_to":{},\
            "tokens":{"prompt":5,"completion":16,"total":21,"cached":0,"reasoning":0}},\
            "ptu":{"requests":2,"by_status":{"200":1,"429":1},"refused":{"provisioned":1},"spilled_to":{},\
            "tokens":{"prompt":5,"completion":16,"total":21,"cached":3,"reasoning":0}}}
            """
        #expect(mock.allStats.contains(expected))
    }
}
