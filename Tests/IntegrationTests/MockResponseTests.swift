internal import Foundation
internal import TestSupport
internal import Testing

extension Integration {
    @Suite("A configuration with a mock")
    struct MockResponseTests {
        private static let answer =
            #"{"id":"chatcmpl-1","object":"chat.completion","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12}}"#

        private func ask(_ gateway: Gateway, key: String = "team-a-key-12345678") throws -> Response {
            let client = try gateway.connect()
            try client.request(
                "POST",
                "/openai/deployments/any-name/chat/completions?api-version=2024-10-21",
                headers: ["content-type: application/json"],
                body: Array(#"{"messages":[{"role":"user","content":"hello"}]}"#.utf8),
                key: key
            )
            return try client.response()
        }

        @Test("answers whatever is asked for, after its delay, and books it like an answer of Azure's")
        func native() throws {
            let gateway = try Gateway(
                file: """
                    listen: 127.0.0.1:0
                    admin: 127.0.0.1:0
                    server: {drain: {lame_duck: 0s}}
                    clients:
                      - {name: team-a, api_keys: [team-a-key-12345678], models: "*", limits: {requests_per_minute: 2}}
                    mock: {delay: 120ms, body: '\(Self.answer)'}
                    """,
                upstream: NoUpstream()
            )
            let start = ContinuousClock.now
            let response = try ask(gateway)
            #expect(response.status == 200)
            #expect(response.text == Self.answer)
            #expect(response.header("content-type") == "application/json")
            #expect(ContinuousClock.now - start >= .milliseconds(120))
            #expect(response.header("x-ratelimit-remaining-requests") == "1")
            #expect(try ask(gateway, key: "a-key-of-nobody-1234").status == 401)
            #expect(try ask(gateway).status == 200)
            #expect(try ask(gateway).status == 429, "limits hold for a mock")
            #expect(try gateway.metric("sluice_upstream_attempts_total", #"endpoint="mock""#, #"result="2xx""#) == 2)
        }

        @Test("of PowerProxy's gives its JSON, and PowerProxy's health path 204")
        func powerProxy() throws {
            let folder = try TemporaryFolder()
            let file = try folder.write(
                """
                clients:
                  - {name: Team 1, key: team-1-key-12345678}
                aoai:
                  mock_response:
                    ms_to_wait_before_return: 10
                    json: {"id": "chatcmpl-1", "n": 1}
                """,
                to: "powerproxy.yaml"
            )
            let ports = folder.url.appendingPathComponent("ports")
            let process = try ChildProcess(
                Build.executable("sluice"),
                [
                    "serve", "--config", file.path, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--port-file",
                    ports.path,
                ],
                output: folder.url.appendingPathComponent("log")
            )
            let line = try wait(for: "the gateway's ports") { () throws -> Substring? in
                if let status = process.exitStatus { throw EndedEarly(status: status, printed: process.printed) }
                let lines = (try? String(contentsOf: ports, encoding: .utf8))?.split(separator: "\n") ?? []
                return lines.count == 2 ? lines[0] : nil
            }
            let port = try #require(line.split(separator: ":").last.flatMap { Int($0) })
            let client = Client(try TCPSocket.connect(port: port))
            try client.request("GET", "/powerproxy/health/liveness")
            #expect(try client.response().status == 204)
            try client.request(
                "POST",
                "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
                headers: ["content-type: application/json"],
                body: Array(#"{"messages":[]}"#.utf8),
                key: "team-1-key-12345678"
            )
            let response = try client.response()
            #expect(response.status == 200)
            #expect(response.text == #"{"id":"chatcmpl-1","n":1}"#)
            process.kill()
        }
    }
}
