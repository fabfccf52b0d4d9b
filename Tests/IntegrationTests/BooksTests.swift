internal import Foundation
internal import TestSupport
internal import Testing

extension Integration {
    @Suite("The books")
    struct BooksTests {
        @Test(
            "agree: usage events, counters in Redis and what Azure counted, also over a kill -9",
            arguments: [false, true]
        )
        func agree(kill: Bool) throws {
            let folder = try TemporaryFolder()
            let process = try ChildProcess(
                "/usr/bin/python3",
                ["-m", "bench.books", "--binaries", Build.folder.path, "--seconds", "4", "--replicas", "2"]
                    + ["--clients", "8"] + (kill ? ["--kill"] : []),
                environment: ["PYTHONDONTWRITEBYTECODE": "1"],
                in: Build.checkout,
                output: folder.url.appendingPathComponent("output")
            )
            let status = try process.awaitExit(until: .in(.seconds(200)))
            print(process.printed)
            #expect(status == .exited(0), "\(process.printed.suffix(4000))")
        }

        @Test("are printed by sluice usage, with costs")
        func report() throws {
            let folder = try TemporaryFolder()
            let upstream = try MockAzure()
            let redis = try RedisServer()
            let text = [
                "listen: 127.0.0.1:0", "admin: 127.0.0.1:0",
                "coordination: {redis: \"redis://127.0.0.1:\(redis.port)\", deadline: 1s}",
                "clients: [{name: team-a, api_keys: [\(GatewayConfigurationText.key)]}]",
                "endpoints: [{name: west, url: \"http://127.0.0.1:\(upstream.port)\", api_key: \(GatewayConfigurationText.upstreamKey)}]",
                "models: [{name: gpt-4o, deployments: [{endpoint: west, deployment: gpt-4o-west}]}]",
            ].joined(separator: "\n")
            let gateway = try Gateway(file: text, upstream: upstream)
            try wait(for: "Redis to be in use") { try gateway.metric("sluice_limiter_shared") == 1 }
            let client = try gateway.connect()
            for _ in 0..<3 {
                try client.request(
                    "POST",
                    "/openai/v1/chat/completions",
                    body: Array(#"{"model":"gpt-4o","messages":[{"role":"user","content":"Hi"}],"max_tokens":9}"#.utf8)
                )
                #expect(try client.response().status == 200)
            }
            try wait(for: "the books") { try redis.usage("req") == 3 }
            let stats = try upstream.stats()
            let file = try folder.write(text, to: "sluice.yaml")
            let prices = try folder.write(
                "currency: EUR\nprices: {gpt-4o: {input: 2.5, output: 10}}\n",
                to: "prices.yaml"
            )
            func usage(_ arguments: String...) throws -> (status: ChildProcess.ExitStatus, printed: String) {
                let process = try ChildProcess(
                    Build.executable("sluice"),
                    ["usage", "--config", file.path] + arguments,
                    output: folder.url.appendingPathComponent(UUID().uuidString)
                )
                return (try process.awaitExit(), process.printed)
            }
            let json = try usage("--by", "client,model,deployment", "--format", "json", "--prices", prices.path)
            #expect(json.status == .exited(0), "\(json.printed)")
            let object = try JSONSerialization.jsonObject(with: Data(json.printed.utf8)) as? [String: Any]
            let row = try #require((object?["rows"] as? [[String: Any]])?.first)
            #expect(row["client"] as? String == "team-a")
            #expect(row["model"] as? String == "gpt-4o")
            #expect(row["deployment"] as? String == "west/gpt-4o-west")
            #expect(row["requests"] as? Int == 3)
            #expect(row["input_tokens"] as? Int == stats.prompt)
            #expect(row["output_tokens"] as? Int == stats.completion)
            let cost = (stats.prompt * 5 + 1) / 2 + stats.completion * 10
            #expect(row["cost_micros"] as? Int == cost)
            let table = try usage("--by", "client", "--prices", prices.path)
            #expect(table.printed.split(separator: "\n").last?.hasPrefix("total ") == true, "\(table.printed)")
            #expect(try usage("--from", "yesterday").status == .exited(64))
            #expect(try usage("--prices", "/nowhere").status == .exited(1))
        }
    }
}
