internal import CostCentres
internal import Foundation
internal import Gateway
internal import TestSupport
internal import Testing

extension Integration {
    @Suite("Hooks")
    struct HookTests {
        struct Broken: Error {}

        private static let stream = [
            #"{"choices":[{"index":0,"delta":{"content":"Hello"}}]}"#,
            #"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12}}"#, "[DONE]",
        ]

        @Test("are told in order what happens to an exchange, and last what it used")
        func order() throws {
            let upstream = try ScriptedUpstream.streaming(Self.stream)
            var hook = ScriptedHook()
            let requests = Shared<[HookRequest]>([])
            let calls = Shared<[HookCall]>([])
            let heads = Shared<[HookHead]>([])
            hook.onRequest = { request in
                requests.change { $0.append(request) }
                return .pass()
            }
            hook.onCall = { call in
                calls.change { $0.append(call) }
                return .pass()
            }
            hook.onHead = { head in heads.change { $0.append(head) } }
            let gateway = try HookedGateway([hook], upstream: upstream)
            let body = #"{"stream":true,"stream_options":{"include_usage":true},"messages":[]}"#
            let response = try gateway.ask(
                ["x-mine: 1", "authorization: Bearer \(GatewayConfigurationText.key)"],
                body: body
            )
            #expect(response.status == 200)
            #expect(response.text == Self.stream.map { "data: \($0)\n\n" }.joined())
            try wait(for: "the settlement") { !hook.settlements.current.isEmpty }
            #expect(
                hook.told.current == ["request", "client", "head"]
                    + Self.stream.enumerated().map { "event \($0 + 1): \($1)" } + ["settled 200"]
            )
            let request = try #require(requests.current.first)
            #expect(request.method == "POST")
            #expect(request.path == HookedGateway.chat)
            #expect(request.headers.value(of: "X-Mine") == "1")
            #expect(request.headers.value(of: "api-key") == nil && request.headers.value(of: "authorization") == nil)
            #expect(request.address == "127.0.0.1")
            let call = try #require(calls.current.first)
            #expect(call.request.id == request.id)
            #expect(call.client == "team-a" && call.model == "gpt-4o" && call.isStream)
            #expect(call.body.map { String(decoding: $0, as: UTF8.self) } == body)
            let head = try #require(heads.current.first)
            #expect(head.status == 200 && head.isStream && head.attempts == 1)
            #expect(head.endpoint == "west" && head.deployment == "gpt-4o-west")
            #expect(head.headers.value(of: "content-type") == "text/event-stream")
            let event = try #require(hook.settlements.current.first)
            #expect(event.idText == request.id)
            #expect(event.usage.input == 7 && event.usage.output == 5 && !event.usage.isEstimated)
            #expect(event.client == "team-a" && event.model == "gpt-4o" && event.deployment == "gpt-4o-west")
        }

        @Test(
            "may refuse a request, before and after it is known who calls; Azure and the hooks behind hear nothing of it"
        )
        func refusal() throws {
            let upstream = try ScriptedUpstream.answering()
            var first = ScriptedHook(name: "first")
            first.onRequest = { request in
                guard request.headers.value(of: "x-early") != nil else {
                    return .pass(answer: [HookField("x-seen", "1")])
                }
                return .refuse(status: 451, code: "NotHere", message: "Not \"here\".")
            }
            first.onCall = { call in
                guard String(decoding: call.body ?? [], as: UTF8.self).contains("secret") else { return .pass() }
                return .refuse(status: 429, code: "Later", message: "Later.", retryAfter: .milliseconds(1500))
            }
            let second = ScriptedHook(name: "second")
            let gateway = try HookedGateway([first, second], upstream: upstream)
            let early = try gateway.ask(["x-early: 1"])
            #expect(early.status == 451)
            #expect(early.text == #"{"error":{"code":"NotHere","message":"Not \"here\"."}}"#)
            let late = try gateway.ask(body: #"{"messages":["secret"]}"#)
            #expect(late.status == 429 && late.errorCode == "Later")
            #expect(late.header("retry-after-ms") == "1500" && late.header("retry-after") == "2")
            #expect(late.header("x-seen") == "1", "fields for answers are for the gateway's own as well")
            #expect(upstream.requests.isEmpty)
            #expect(try gateway.ask().status == 200)
            try wait(for: "the settlements") { second.settlements.current.count == 3 }
            #expect(
                second.told.current.sorted()
                    == ["client", "head", "request", "request", "settled 200", "settled 429", "settled 451"]
            )
            try wait(for: "the log") { gateway.printed.contains(#""error_reason":"hook_first""#) }
        }

        @Test("may add fields to the request to Azure and to the answer, in place of what is there")
        func fields() throws {
            let upstream = try ScriptedUpstream.answering(
                "HTTP/1.1 200 OK\r\nx-tag: azure\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
            )
            var first = ScriptedHook(name: "first")
            first.onRequest = { _ in
                .pass(request: [HookField("x-ms-client-request-id", "ours")], answer: [HookField("X-Tag", "one")])
            }
            var second = ScriptedHook(name: "second")
            second.onCall = { call in
                .pass(request: [HookField("x-team", call.client)], answer: [HookField("x-tag", "two")])
            }
            let gateway = try HookedGateway([first, second], upstream: upstream)
            let response = try gateway.ask(["x-ms-client-request-id: theirs"])
            #expect(response.status == 200)
            let tags = response.headers.filter { $0.name.lowercased() == "x-tag" }
            #expect(tags.map(\.value) == ["two"])
            let request = try #require(upstream.requests.first)
            #expect(request.values("x-ms-client-request-id") == ["ours"])
            #expect(request.values("x-team") == ["team-a"])
        }

        @Test(
            "that throw fail their exchange and no other",
            arguments: ["request", "client", "head", "event", "settled"]
        )
        func throwing(moment: String) throws {
            // One that goes on after its first event: what comes late must not come.
            let upstream = try ScriptedUpstream { connection in
                while true {
                    let isStream = try connection.readRequest().body.contains(UInt8(ascii: "s"))
                    guard isStream else {
                        try connection.send(
                            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
                        )
                        continue
                    }
                    try connection.send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
                    try connection.send("data: \(Self.stream[0])\n\n")
                    try connection.awaitClose()
                }
            }
            var hook = ScriptedHook()
            let isBroken = Shared(true)
            let fail: @Sendable () throws -> Void = { if isBroken.current { throw Broken() } }
            switch moment {
            case "request":
                hook.onRequest = { _ in
                    try fail()
                    return .pass()
                }
            case "client":
                hook.onCall = { _ in
                    try fail()
                    return .pass()
                }
            case "head": hook.onHead = { _ in try fail() }
            case "event": hook.onEvent = { _ in try fail() }
            default: hook.onSettled = { _ in try fail() }
            }
            let gateway = try HookedGateway([hook], upstream: upstream)
            let broken = try gateway.ask(body: moment == "settled" ? "{}" : #"{"stream":true}"#)
            switch moment {
            case "request", "client":
                #expect(broken.status == 500 && broken.errorCode == "HookFailed")
                #expect(upstream.requests.isEmpty)
            case "head", "event":
                #expect(broken.status == 200)
                #expect(broken.text.hasPrefix("data: \(Self.stream[0])\n\n"))
                #expect(broken.text.hasSuffix("\n\n") && broken.text.contains(#"data: {"error":{"code":"HookFailed""#))
            default:
                #expect(broken.status == 200)
            }
            try wait(for: "the settlement") { hook.settlements.current.count == 1 }
            try wait(for: "the count") {
                try gateway.metric(#"sluice_hook_failures_total{hook="scripted",kind="threw"}"#) == 1
            }
            isBroken.change { $0 = false }
            #expect(try gateway.ask(body: "{}").status == 200)
            try wait(for: "the log") { gateway.printed.contains(#""message":"hook failed""#) }
            #expect(gateway.printed.contains("Broken"))
            try wait(for: "nothing left behind") { try gateway.metric("sluice_hooks_behind") == 0 }
        }

        @Test("cannot have a field or a status that is none: that fails the exchange")
        func invalid() throws {
            let upstream = try ScriptedUpstream.answering()
            var hook = ScriptedHook()
            hook.onRequest = { request in
                if let name = request.headers.value(of: "x-set") { return .pass(request: [HookField(name, "a")]) }
                return .refuse(status: 200, code: "a", message: "b")
            }
            let gateway = try HookedGateway([hook], upstream: upstream)
            for headers in [["x-set: api-key"], ["x-set: host"], []] {
                let response = try gateway.ask(headers)
                #expect(response.status == 500 && response.errorCode == "HookFailed", "\(headers)")
            }
            #expect(upstream.requests.isEmpty)
        }

        @Test("keep what they count to themselves: each exchange has a copy of its own")
        func copies() throws {
            let events = (0..<50).map { "{\"n\":\($0)}" }
            let upstream = try ScriptedUpstream.streaming(events)
            let hook = ScriptedHook()
            let gateway = try HookedGateway([hook], upstream: upstream)
            let clients = try (0..<20).map { _ in try gateway.connect() }
            for client in clients {
                try client.request(
                    "POST",
                    HookedGateway.chat,
                    headers: ["content-type: application/json"],
                    body: Array(#"{"stream":true}"#.utf8)
                )
            }
            for client in clients { #expect(try client.response().status == 200) }
            try wait(for: "the settlements") { hook.settlements.current.count == clients.count }
            for (index, event) in events.enumerated() {
                // The count is each exchange's own.
                let told = hook.told.current.filter { $0 == "event \(index + 1): \(event)" }
                #expect(told.count == clients.count)
            }
        }

        @Test(
            "have the body of a request wait for them, whole and in order",
            arguments: ["application/json", "audio/wav"]
        )
        func bodies(type: String) throws {
            let upstream = try ScriptedUpstream.answering()
            var hook = ScriptedHook()
            hook.onRequest = { _ in
                try await Task.sleep(for: .milliseconds(50))
                return .pass()
            }
            hook.onCall = { _ in
                try await Task.sleep(for: .milliseconds(50))
                return .pass()
            }
            let gateway = try HookedGateway([hook], upstream: upstream)
            let body = Array("{\"a\":\"".utf8) + (0..<600_000).map { 0x61 + UInt8($0 % 26) } + Array("\"}".utf8)
            let client = try gateway.connect()
            let bytes = Client.bytes("POST", HookedGateway.chat, headers: ["content-type: \(type)"], body: body)
            for start in stride(from: 0, to: bytes.count, by: 50_000) {
                try client.send(Array(bytes[start..<min(start + 50_000, bytes.count)]))
            }
            #expect(try client.response().status == 200)
            #expect(upstream.requests.map(\.body) == [body])
            // The same connection, and a request that is there before the first is answered.
            try client.send(Client.bytes("GET", "/openai/one") + Client.bytes("GET", "/openai/two"))
            #expect(try client.response().status == 200)
            #expect(try client.response().status == 200)
            #expect(upstream.requests.map(\.target).suffix(2) == ["/openai/one", "/openai/two"])
        }

        @Test("book on cost centres, as the example does")
        func example() async throws {
            let upstream = try ScriptedUpstream.streaming(Self.stream)
            let ledger = CostCentreLedger()
            let gateway = try HookedGateway(
                [CostCentreHook(known: ["4711", "4712"], ledger: ledger)],
                upstream: upstream
            )
            for headers in [[], ["x-cost-centre: 4713"]] {
                let refused = try gateway.ask(headers)
                #expect(refused.status == 400 && refused.errorCode == "CostCentreRequired")
            }
            for centre in ["4711", "4712", "4711"] {
                let response = try gateway.ask(["x-cost-centre: \(centre)"], body: #"{"stream":true}"#)
                #expect(response.status == 200)
                #expect(response.header("x-cost-centre") == centre)
            }
            #expect(try #require(upstream.requests.first?.header("x-ms-client-request-id")).hasPrefix("4711-"))
            try gateway.stop()
            let csv = await ledger.csv
            #expect(
                csv == """
                    cost_centre,client,model,requests,input_tokens,output_tokens
                    4711,team-a,gpt-4o,2,14,10
                    4712,team-a,gpt-4o,1,7,5

                    """,
                "a shutdown waits for what is not booked"
            )
        }
    }
}
