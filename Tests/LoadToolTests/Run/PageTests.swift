import Foundation
import Testing

@testable import LoadTool

extension ProgramTests {
    @Suite("The page, in a browser")
    struct PageTests {
        private struct Look {
            let dom: String
            /// What the console said.
            let console: [String]
            /// Addresses that the page itself asked for.
            let requests: [String]
        }

        /// Opens a page in headless Chromium, which finds no host but this one.
        private func look(_ page: Data, arguments: [String] = []) async throws -> Look {
            let program = try Program(
                "/bin/sh",
                [
                    "-c",
                    """
                    while [ ! -s page.html ]; do sleep 0.01; done
                    exec chromium --headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
                    --disable-component-update --host-resolver-rules='MAP * ~NOTFOUND, EXCLUDE 127.0.0.1' \
                    --user-data-dir="$PWD/profile" --enable-logging=stderr --log-net-log="$PWD/net" \(arguments.joined(separator: " ")) \
                    --dump-dom "file://$PWD/page.html"
                    """,
                ]
            )
            try page.write(to: program.folder.appending(path: "page.html"), options: .atomic)
            #expect(try await program.end(within: .seconds(120)) == 0)
            let console = program.errors.split(separator: "\n").filter { $0.contains(":CONSOLE:") }.map(String.init)
            // The browser's own requests have no origin; those of a page from a file have the origin "null".
            let requests = program.text("net").split(separator: "\n").filter { $0.contains(#""initiator":"null""#) }
            return Look(dom: program.output, console: console, requests: requests.map(String.init))
        }

        private func result() async throws -> RunResult {
            let mock = try await Mock.start()
            defer { withExtendedLifetime(mock) {} }
            let scenario = try Scenario.read(
                """
                load: {open: {phases: [{rate: 100, for: 3s}]}}
                targets: ["\(mock.address)", "\(mock.address.replacing("127.0.0.1", with: "localhost"))"]
                books: {mock: "\(mock.address)"}
                clients:
                  - {name: team-a, key: mock-key, limits: {requests_per_minute: 600, tokens_per_minute: 5k, burst: {requests: 20}}}
                  - {name: team-b, key: mock-key}
                requests:
                  - {model: gpt-4o, share: 3}
                  - {name: stream, model: gpt-4o, stream: true, user: "mock:tokens=20,interval=2"}
                  - {name: refused, model: gpt-4o, share: 0.3, user: "mock:status=429"}
                windows: [1s, 2s]
                """,
                file: "page.yaml",
                from: source()
            )
            return try await LoadRun(scenario: scenario) { _, _ in }.run()
        }

        @Test(
            "draws every chart, says nothing on the console and asks for nothing",
            arguments: ["", "--blink-settings=preferredColorScheme=0"]
        )
        func page(scheme: String) async throws {
            let look = try await look(try HTMLReport.page(try await result()), arguments: [scheme])
            #expect(look.console == [])
            #expect(look.requests == [])
            for title in [
                "Latency by percentile", "Throughput", "Latency over time", "Refused and failed", "Per replica",
                "Tokens a second",
                "Admitted against allowed: requests", "Admitted against allowed: tokens", "Limits", "Books", "Clients",
            ] { #expect(look.dom.contains("<h2>\(title)</h2>"), "\(title)") }
            #expect(look.dom.contains("data-charts=\"9\""))
            // A line with a number that is none would not be drawn.
            #expect(!look.dom.contains("NaN") && !look.dom.contains("Infinity") && !look.dom.contains("undefined<"))
            #expect(look.dom.matches(of: #/<path class="series" d="M[\d.]+ [\d.]+L/#).count >= 10)
        }

        @Test("would be found out if it asked for something or had a mistake")
        func control() async throws {
            let page = "<html><img src=\"http://127.0.0.1:9/x.png\"><script>mistake()</script></html>"
            let look = try await look(Data(page.utf8))
            #expect(look.requests.count >= 1)
            #expect(look.console.count == 1)
        }
    }
}
