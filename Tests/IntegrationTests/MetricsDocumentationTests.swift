internal import Foundation
internal import TestSupport
internal import Testing

extension Integration {
    @Suite("The metrics")
    struct MetricsDocumentationTests {
        private static let checkout = Build.checkout

        /// Names and types in the table of docs/metrics.md.
        private static func documented() throws -> [String: String] {
            let text = try String(contentsOf: checkout.appendingPathComponent("docs/metrics.md"), encoding: .utf8)
            var found: [String: String] = [:]
            for line in text.split(separator: "\n") {
                guard let row = line.prefixMatch(of: /\| `([a-z0-9_]+)` \| (counter|gauge|histogram) \|/) else {
                    continue
                }
                guard found.updateValue(String(row.2), forKey: String(row.1)) == nil else {
                    throw Unexpected("documented twice: \(row.1)")
                }
            }
            return found
        }

        /// Names in the sources of the admin pages, which hold those of every part that can be switched on.
        private static func inSources() throws -> Set<String> {
            let folder = checkout.appendingPathComponent("Sources/Gateway/Admin")
            var found: Set<String> = []
            for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil) {
                let text = try String(contentsOf: file, encoding: .utf8)
                found.formUnion(text.matches(of: /"(sluice_[a-z0-9_]+)"/).map { String($0.1) })
            }
            return found
        }

        @Test("are those of docs/metrics.md, no more and no fewer, and of the types that it says")
        func documented() throws {
            let metered = try MeteredGateway()
            let served = try PrometheusPage(metered.page()).types
            let documented = try Self.documented()
            for (name, type) in served { #expect(documented[name] == type, "\(name) in docs/metrics.md") }
            let known = try Set(served.keys).union(Self.inSources())
            #expect(known.subtracting(documented.keys).sorted() == [], "not in docs/metrics.md")
            #expect(Set(documented.keys).subtracting(known).sorted() == [], "only in docs/metrics.md")
        }

        @Test("say what was asked for, what it cost and what was decided")
        func values() throws {
            let metered = try MeteredGateway()
            let page = try PrometheusPage(metered.page())
            let chat = [
                "gen_ai_operation_name": "chat", "gen_ai_provider_name": "azure.ai.openai",
                "gen_ai_request_model": "gpt-4o",
            ]
            #expect(page.values("gen_ai_server_time_to_first_token_seconds_count")[chat] == 1)
            #expect(page.values("gen_ai_server_time_per_output_token_seconds_count")[chat] == 1)
            #expect(page.values("gen_ai_server_request_duration_seconds_count")[chat] == 3)
            let output = chat.merging(["gen_ai_token_type": "output"]) { $1 }
            #expect(page.values("gen_ai_client_token_usage_count")[output] == 2)
            let tokens = page.values("sluice_tokens_total")
            let booked = tokens[["client": "team-a", "model": "gpt-4o", "kind": "output"]]
            #expect(booked == page.values("gen_ai_client_token_usage_sum")[output])
            #expect(booked ?? 0 > 0)
            #expect(tokens[["client": "team-a", "model": "embedder", "kind": "input"]] ?? 0 > 0)
            #expect(page.values("sluice_admissions_total")[["outcome": "admitted"]] == 3)
            #expect(page.values("sluice_admissions_total")[["outcome": "refused"]] == 1)
            #expect(page.values("sluice_refusals_total")[["client": "team-a", "limit": "requests_per_minute"]] == 1)
            #expect(page.values("sluice_admission_wait_seconds_count")[[:]] == 4)
            #expect(page.values("sluice_admission_wait_seconds_sum")[[:]] ?? 0 > 0)
            #expect(page.values("sluice_redis_latency_seconds_count")[["script": "admit"]] == 4)
            #expect(page.values("sluice_reservation_ratio_count")[["model": "gpt-4o"]] == 2)
            let cooldown = page.values("sluice_deployment_cooldown_seconds")
            #expect(cooldown[["endpoint": "west", "deployment": "gpt-4o"]] == 0)
            #expect(page.values("process_resident_memory_bytes")[[:]] ?? 0 > 1_048_576)
            #expect(page.values("process_open_fds")[[:]] ?? 0 > 3)
            #expect(page.values("process_start_time_seconds")[[:]] ?? 0 > 1_700_000_000)
            for (family, type) in page.types where type == "histogram" {
                if page.values(family + "_count").isEmpty { continue }
                try page.checkHistogram(family)
            }
        }

        @Test("have alerts, each with its row of what to do in docs/operations.md")
        func runbook() throws {
            let observability = Self.checkout.appendingPathComponent("deploy/observability")
            let rules = try String(contentsOf: observability.appendingPathComponent("alerts.yaml"), encoding: .utf8)
            let tests = try String(
                contentsOf: observability.appendingPathComponent("alerts.test.yaml"),
                encoding: .utf8
            )
            let operations = try String(
                contentsOf: Self.checkout.appendingPathComponent("docs/operations.md"),
                encoding: .utf8
            )
            let alerts = rules.matches(of: /- alert: (\w+)/).map { String($0.1) }
            let rows = operations.matches(of: /\n\| `(Sluice\w+)` \| \S/).map { String($0.1) }
            #expect(alerts.count > 5)
            #expect(alerts.sorted() == rows.sorted())
            for alert in alerts { #expect(tests.contains("alertname: \(alert)"), "\(alert) is not tested") }
        }

        @Test("that the alerts and the dashboard name exist")
        func observability() throws {
            let documented = try Self.documented()
            let names = Set(
                documented.flatMap { name, type in
                    type == "histogram" ? ["_bucket", "_sum", "_count"].map { name + $0 } : [name]
                }
            )
            for file in ["alerts.yaml", "alerts.test.yaml", "dashboard.json"] {
                let url = Self.checkout.appendingPathComponent("deploy/observability/\(file)")
                let text = try String(contentsOf: url, encoding: .utf8)
                let named = Set(
                    text.matches(of: /\b(?:sluice|gen_ai_(?:server|client)|process)_[a-z0-9_]+/).map { String($0.0) }
                )
                #expect(named.count > 4, "\(file)")
                #expect(named.subtracting(names).sorted() == [], "in \(file)")
            }
        }
    }
}
