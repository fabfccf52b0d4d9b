internal import Foundation
internal import TestSupport
internal import Testing

extension Integration {
    @Suite("Traces")
    struct TracingTests {
        private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        private static let caller = "00f067aa0ba902b7"
        private static let chat = Array(
            #"{"model":"gpt-4o","messages":[{"role":"user","content":"secret words"}],"max_tokens":20}"#.utf8
        )

        private static func configuration(
            collector: Int,
            ratio: String = "1",
            forward: [String] = ["forward_headers: [traceparent, tracestate]"]
        ) -> GatewayConfigurationText {
            GatewayConfigurationText(
                server: ["drain: {lame_duck: 0s, grace: 5s}"],
                endpoint: forward,
                top: ["tracing: {otlp: \"http://127.0.0.1:\(collector)\", sampling_ratio: \(ratio)}"]
            )
        }

        private static func ask(_ gateway: Gateway, _ headers: [String] = []) throws -> Int {
            let client = try gateway.connect()
            try client.request("POST", "/openai/v1/chat/completions?secret=1", headers: headers, body: chat)
            return try client.response().status
        }

        @Test("come out as spans of the exchange, the admission and the attempt, within the caller's trace")
        func spans() throws {
            let port = LoopbackPort.free()
            let receiver = try OTLPReceiver(port: port)
            let gateway = try Gateway(Self.configuration(collector: port, ratio: "0"), upstream: try MockAzure())
            let headers = ["traceparent: 00-\(Self.trace)-\(Self.caller)-01", "tracestate: vendor=1"]
            #expect(try Self.ask(gateway, headers) == 200)
            let spans = try receiver.spans(atLeast: 3)
            #expect(spans.count == 3)
            #expect(Set(spans.map(\.trace)) == [Self.trace])
            #expect(Set(spans.map(\.state)) == ["vendor=1"])
            #expect(Set(spans.map(\.span)).count == 3)
            let exchange = try #require(spans.first { $0.kind == "SPAN_KIND_SERVER" })
            #expect(exchange.parent == Self.caller)
            #expect(exchange.name == "chat gpt-4o")
            #expect(exchange.flags == 0x301)
            #expect(exchange.attributes["http.response.status_code"] == .number(200))
            #expect(exchange.attributes["gen_ai.provider.name"] == .text("azure.ai.openai"))
            #expect(exchange.attributes["gen_ai.request.model"] == .text("gpt-4o"))
            #expect(exchange.attributes["sluice.client"] == .text("team-a"))
            #expect(exchange.attributes["url.path"] == .text("/openai/v1/chat/completions"))
            #expect(exchange.events == ["first byte"])
            guard case .number(let output)? = exchange.attributes["gen_ai.usage.output_tokens"] else {
                throw Unexpected("no output tokens: \(exchange.attributes)")
            }
            #expect(output > 0)
            let admission = try #require(spans.first { $0.name == "admission" })
            #expect(admission.parent == exchange.span)
            #expect(admission.attributes["sluice.admission.outcome"] == .text("admitted"))
            let attempt = try #require(spans.first { $0.kind == "SPAN_KIND_CLIENT" })
            #expect(attempt.parent == exchange.span)
            #expect(attempt.name == "chat gpt-4o-west")
            #expect(attempt.attributes["server.address"] == .text("127.0.0.1"))
            #expect(attempt.attributes["http.response.status_code"] == .number(200))
            #expect(attempt.status == "STATUS_CODE_UNSET")
            let now = Int(Date().timeIntervalSince1970 * 1e9)
            for span in spans {
                #expect(exchange.start <= span.start && span.start <= span.end && span.end <= exchange.end)
                #expect((now - 600_000_000_000...now).contains(span.start))
            }
            #expect(admission.end <= attempt.start)
            for text in spans.flatMap({ $0.attributes.values }) { #expect(!"\(text)".contains("secret")) }
            let line = try gateway.accessLogLine(path: "/openai/v1/chat/completions")
            #expect(line["trace_id"] as? String == Self.trace)
        }

        @Test("say which attempt failed, and that the exchange did")
        func failures() throws {
            let port = LoopbackPort.free()
            let receiver = try OTLPReceiver(port: port)
            let gateway = try Gateway(Self.configuration(collector: port), upstream: try NoUpstream())
            #expect(try Self.ask(gateway) == 502)
            let spans = try receiver.spans(atLeast: 3)
            let exchange = try #require(spans.first { $0.kind == "SPAN_KIND_SERVER" })
            #expect(exchange.parent == "")
            #expect(exchange.flags == 0x101)
            #expect(exchange.status == "STATUS_CODE_ERROR")
            #expect(exchange.attributes["error.type"] == .text("upstream_connect_failed"))
            let attempt = try #require(spans.first { $0.kind == "SPAN_KIND_CLIENT" })
            #expect(attempt.status == "STATUS_CODE_ERROR")
            #expect(attempt.attributes["error.type"] == .text("connect_failed"))
        }

        /// What the upstream got as `traceparent` and `tracestate`.
        private static func forwarded(
            _ configuration: (Int) -> GatewayConfigurationText,
            _ headers: [String]
        ) throws -> [String: String] {
            let upstream = try ScriptedUpstream { connection in
                _ = try connection.readRequest()
                try connection.send("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}")
            }
            let gateway = try Gateway(configuration(LoopbackPort.free()), upstream: upstream)
            #expect(try ask(gateway, headers) == 200)
            let request = try #require(upstream.requests.first)
            var found: [String: String] = [:]
            for name in ["traceparent", "tracestate"] {
                #expect(request.values(name).count <= 1)
                found[name] = request.header(name)
            }
            return found
        }

        @Test(
            "go on to Azure with the attempt as the parent where they are sampled, and as they came where they are not"
        )
        func forwarding() throws {
            let sampled = try Self.forwarded(
                { Self.configuration(collector: $0, ratio: "0") },
                ["traceparent: 00-\(Self.trace)-\(Self.caller)-01", "tracestate: a=1", "tracestate: b=2"]
            )
            let own = try #require(sampled["traceparent"])
            #expect(own.hasPrefix("00-\(Self.trace)-") && own.hasSuffix("-01"))
            #expect(!own.contains(Self.caller))
            #expect(sampled["tracestate"] == "a=1,b=2")
            let passed = try Self.forwarded(
                { Self.configuration(collector: $0) },
                ["traceparent: 00-\(Self.trace)-\(Self.caller)-00"]
            )
            #expect(passed == ["traceparent": "00-\(Self.trace)-\(Self.caller)-00"])
        }

        @Test(
            "do not go on where they are malformed, and begin anew where the gateway traces",
            arguments: [
                "traceparent: 00-\(trace)-\(caller)-1", "traceparent: ff-\(trace)-\(caller)-01",
                "traceparent: 00-\(trace.uppercased())-\(caller)-01",
                "traceparent: 00-\(String(repeating: "0", count: 32))-\(caller)-01",
                "traceparent: \(String(repeating: "00-", count: 4_000))",
                "traceparent: 00-\(trace)-\(caller)-01\r\ntraceparent: 00-\(trace)-\(caller)-01",
            ]
        )
        func malformed(header: String) throws {
            let headers = [header, "tracestate: a=1"]
            #expect(try Self.forwarded({ Self.configuration(collector: $0, ratio: "0") }, headers) == [:])
            let anew = try Self.forwarded({ Self.configuration(collector: $0) }, headers)
            #expect(anew["traceparent"]?.wholeMatch(of: /00-[0-9a-f]{32}-[0-9a-f]{16}-01/) != nil)
            #expect(anew["traceparent"]?.contains(Self.trace) == false)
            #expect(anew["tracestate"] == nil)
        }

        @Test("stay here where the endpoint does not forward them")
        func notForwarded() throws {
            let headers = ["traceparent: 00-\(Self.trace)-\(Self.caller)-01"]
            let seen = try Self.forwarded({ Self.configuration(collector: $0, forward: []) }, headers)
            #expect(seen == [:])
        }

        @Test("wait for a collector that is not there yet, and are sent when the gateway ends")
        func lateCollector() throws {
            let port = LoopbackPort.free()
            let gateway = try Gateway(Self.configuration(collector: port), upstream: try MockAzure())
            #expect(try Self.ask(gateway) == 200)
            try wait(for: "a failure to send") { try gateway.metric("sluice_span_export_failures_total") > 0 }
            #expect(try gateway.metric("sluice_spans_waiting") == 3)
            let receiver = try OTLPReceiver(port: port)
            #expect(try receiver.spans(atLeast: 3).count == 3)
            try wait(for: "the collector's word") { try gateway.metric("sluice_spans_exported_total") == 3 }
            #expect(try gateway.metric("sluice_spans_dropped_total") == 0)
            #expect(try Self.ask(gateway) == 200)
            gateway.process.signal(SIGTERM)
            #expect(try receiver.spans(atLeast: 6).count == 6)
            #expect(try gateway.process.awaitExit() == .exited(0))
        }
    }
}
