internal import Foundation
internal import TestSupport
internal import Testing

extension Integration {
    @Suite("A real Prometheus")
    struct PrometheusTests {
        private struct Answer: Decodable {
            struct Data: Decodable { var result: [Result] }
            struct Result: Decodable {
                var metric: [String: String]
                var value: [Value]
            }
            /// A time, or the sample as text.
            enum Value: Decodable {
                case time(Double)
                case sample(String)

                init(from decoder: any Decoder) throws {
                    let container = try decoder.singleValueContainer()
                    if let time = try? container.decode(Double.self) {
                        self = .time(time)
                    } else {
                        self = .sample(try container.decode(String.self))
                    }
                }
            }
            var data: Data
        }

        /// The expressions of the dashboard's panels.
        private static func dashboard() throws -> [String] {
            struct Dashboard: Decodable {
                struct Panel: Decodable { var targets: [Target] }
                struct Target: Decodable { var expr: String }
                var panels: [Panel]
            }
            let file = Build.checkout.appendingPathComponent("deploy/observability/dashboard.json")
            let dashboard = try JSONDecoder().decode(Dashboard.self, from: Data(contentsOf: file))
            return dashboard.panels.flatMap { $0.targets.map(\.expr) }
        }

        /// What an instant query gives: samples by their labels.
        private static func query(_ expression: String, port: Int) throws -> [[String: String]: Double] {
            let allowed = CharacterSet.alphanumerics
            let escaped = expression.addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
            let client = Client(try TCPSocket.connect(port: port))
            try client.send(
                "GET /api/v1/query?query=\(escaped) HTTP/1.1\r\nhost: prometheus\r\nconnection: close\r\n\r\n"
            )
            let answer = try JSONDecoder().decode(Answer.self, from: Data(client.response().body))
            var found: [[String: String]: Double] = [:]
            for result in answer.data.result {
                guard case .sample(let text)? = result.value.last, let value = Double(text) else { continue }
                let own = ["__name__", "instance", "job"]
                found[result.metric.filter { !own.contains($0.key) }] = value
            }
            return found
        }

        @Test("scrapes the gateway, and reads what the gateway counted")
        func scrapes() throws {
            let metered = try MeteredGateway()
            let folder = try TemporaryFolder()
            let configuration = try folder.write(
                """
                global: {scrape_interval: 1s, scrape_timeout: 1s}
                scrape_configs:
                  - {job_name: sluice, static_configs: [{targets: ["127.0.0.1:\(metered.gateway.adminPort)"]}]}
                """,
                to: "prometheus.yml"
            )
            let port = LoopbackPort.free()
            let prometheus = try ChildProcess(
                "/usr/bin/prometheus",
                [
                    "--config.file=\(configuration.path)", "--web.listen-address=127.0.0.1:\(port)",
                    "--storage.tsdb.path=\(folder.url.appendingPathComponent("data").path)",
                ],
                output: folder.url.appendingPathComponent("log")
            )
            defer { prometheus.kill() }
            let found = try wait(for: "a scrape", until: .in(.seconds(60))) { () -> [[String: String]: Double]? in
                if let status = prometheus.exitStatus { throw EndedEarly(status: status, printed: prometheus.printed) }
                guard let up = try? Self.query("up", port: port), up.values.contains(1) else { return nil }
                return try Self.query("sluice_requests_total", port: port)
            }
            #expect(found[["client": "team-a", "model": "gpt-4o", "status": "2xx"]] == 2)
            #expect(found[["client": "team-a", "model": "gpt-4o", "status": "4xx"]] == 1)
            let tokens = try Self.query("sum(sluice_tokens_total{kind=\"output\"})", port: port)
            let page = try PrometheusPage(metered.page())
            let output = page.values("sluice_tokens_total").filter { $0.key["kind"] == "output" }.values.reduce(0, +)
            #expect(tokens == [[:]: output])
            for expression in try Self.dashboard() {
                // One that Prometheus does not understand has no `data` in its answer.
                _ = try Self.query(expression.replacing("$__rate_interval", with: "1m"), port: port)
            }
            // Of every sample on the page there is a series.
            let series = try Self.query("count({job=\"sluice\",__name__!~\"up|scrape_.*\"})", port: port)
            let samples = try metered.page().split(separator: "\n").filter { !$0.hasPrefix("#") }.count
            #expect(series == [[:]: Double(samples)])
        }

        @Test("finds nothing to complain of in the metrics, the alerts and their tests")
        func promtool() throws {
            let metered = try MeteredGateway()
            let folder = try TemporaryFolder()
            let page = try folder.write(try metered.page(), to: "metrics")
            let observability = Build.checkout.appendingPathComponent("deploy/observability").path
            for command in [
                "promtool check metrics <\(page.path)", "promtool check rules \(observability)/alerts.yaml",
                "promtool test rules \(observability)/alerts.test.yaml",
            ] {
                let output = folder.url.appendingPathComponent(UUID().uuidString)
                let process = try ChildProcess("/bin/sh", ["-c", command], output: output)
                #expect(
                    try process.awaitExit(until: .in(.seconds(60))) == .exited(0),
                    "\(command):\n\(process.printed)"
                )
                if command.contains("metrics <") { #expect(process.printed == "") }
            }
        }
    }
}
