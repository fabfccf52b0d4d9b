internal import Foundation
internal import TestSupport
internal import Testing

extension Integration {
    @Suite("The admin listener")
    struct AdminTests {
        private let gateway: Gateway

        /// A gateway that has seen an answer, a refusal and a failure.
        init() throws {
            let upstream = try ScriptedUpstream { connection in
                while true {
                    guard try connection.readRequest().target != "/openai/bad" else { return }
                    try connection.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
                }
            }
            gateway = try Gateway(upstream: upstream)
            let client = try gateway.connect()
            let json = Array(#"{"model":"gpt-4o"}"#.utf8)
            try client.request("POST", "/openai/v1/chat/completions", body: json)
            try client.request("POST", "/openai/v1/chat/completions", body: json, key: "nobody")
            try client.request("GET", "/openai/bad")
            #expect(try (0..<3).map { _ in try client.response().status } == [200, 401, 502])
        }

        @Test("serves metrics in which every line is Prometheus' text format and every family is declared once")
        func metrics() throws {
            let response = try gateway.admin("/metrics")
            #expect(response.status == 200)
            #expect(response.header("content-type")?.hasPrefix("text/plain; version=0.0.4") == true)
            #expect(response.text.hasSuffix("\n"))
            let page = try PrometheusPage(response.text)

            let exchanges = page.values("sluice_requests_total")
            #expect(exchanges[["client": "team-a", "model": "gpt-4o", "status": "2xx"]] == 1)
            #expect(exchanges[["client": "", "model": "", "status": "4xx"]] == 1)
            #expect(exchanges[["client": "team-a", "model": "", "status": "5xx"]] == 1)
            #expect(page.values("sluice_upstream_attempts_total")[["endpoint": "west", "result": "2xx"]] == 1)
            #expect(page.values("sluice_upstream_attempts_total")[["endpoint": "west", "result": "failed"]] == 1)
            #expect(page.values("sluice_requests_in_flight")[[:]] == 0)
            #expect(page.values("sluice_received_bytes_total")[[:]] ?? 0 >= 18)
            #expect(page.values("sluice_sent_bytes_total")[[:]] == 2)
            #expect(page.values("sluice_ready")[[:]] == 1)
            for family in [
                "sluice_time_to_first_byte_seconds", "gen_ai_server_request_duration_seconds",
                "sluice_event_loop_lag_seconds",
            ] {
                #expect(page.types[family] == "histogram")
                try page.checkHistogram(family)
            }
        }

        @Test("serves a status that is JSON and holds no key")
        func status() throws {
            let response = try gateway.admin("/status")
            #expect(response.status == 200)
            #expect(response.header("content-type") == "application/json")
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any]
            )
            #expect(object["phase"] as? String == "serving")
            #expect((object["models"] as? [Any])?.count == 4)
            for text in [response.text, try gateway.admin("/metrics").text, gateway.process.printed] {
                for key in ["key-of-team-a", "key-of-team-b", "key-of-the-upstream", "nobody"] {
                    #expect(!text.contains(key))
                }
            }
        }

        @Test("serves health, and 404 for what it does not know")
        func health() throws {
            #expect(try gateway.admin("/health/live").status == 200)
            #expect(try gateway.admin("/health/ready").status == 200)
            #expect(try gateway.admin("/health/front-door").status == 404)
            #expect(try gateway.admin("/").status == 404)
        }

        @Test("is not to be reached through the data plane")
        func notOnTheDataPlane() throws {
            let client = try gateway.connect()
            for path in ["/metrics", "/status", "/health/ready", "/health/live"] {
                try client.request("GET", path, key: nil)
                #expect(try client.response().status == 401)
            }
        }

        @Test("says in the log what became of each exchange")
        func accessLog() throws {
            let line = try gateway.accessLogLine(path: "/openai/bad")
            #expect(line["status"] as? Int == 502)
            #expect(line["error"] as? String == "upstream_closed_early")
            #expect(line["error_source"] as? String == "upstream")
            #expect(line["client"] as? String == "team-a")
            #expect(line["attempts"] as? Int == 1)
            #expect((line["id"] as? String)?.count == 16)
        }
    }
}
