import Foundation
import Synchronization
import Testing

@testable import LoadTool

extension ProgramTests {
    @Suite("A load on mock-azure")
    struct LoadRunTests {
        private func run(_ text: String, key: String = "mock-key", mock: Mock) async throws -> RunResult {
            let scenario = try Scenario.read(
                """
                targets: ["\(mock.address)"]
                books: {mock: "\(mock.address)"}
                \(text.contains("clients:") ? "" : "clients: [{name: a, key: \(key)}]")
                \(text)
                """,
                file: "x.yaml",
                from: source()
            )
            return try await LoadRun(scenario: scenario) { _, _ in }.run()
        }

        @Test("agrees with its books, request by request and token by token, and every stream is in order")
        func books() async throws {
            let mock = try await Mock.start()
            defer { withExtendedLifetime(mock) {} }
            let result = try await run(
                """
                load: {open: {arrivals: poisson, phases: [{from: 20, to: 100, for: 2s}]}}
                clients: [{name: a, share: 3, key: mock-key}, {name: b, token: mock-key}]
                requests:
                  - {model: gpt-4o, prompt_tokens: {uniform: [1, 500]}, max_tokens: {uniform: [1, 30]}}
                  - {name: stream, model: gpt-4o, stream: true, verify: mock, user: "mock:tokens=40,chunk=37"}
                """,
                mock: mock
            )
            #expect((80...160).contains(result.total.requests))
            #expect(result.total.succeeded == result.total.requests)
            #expect(result.total.brokenStreams.isEmpty && result.total.streams > 30)
            #expect(result.books.count == 3)
            for line in result.books { #expect(line.seen > 0 && line.difference == 0, "\(line)") }
            #expect(result.clients.map(\.requests).reduce(0, +) == result.total.requests)
            #expect(result.timeline.map(\.ended).reduce(0, +) == result.total.requests)
        }

        @Test("is the same load for the same seed, whatever the number of loops")
        func repeatable() async throws {
            let mock = try await Mock.start()
            defer { withExtendedLifetime(mock) {} }
            let text = """
                max_requests: 120
                load: {open: {arrivals: poisson, phases: [{rate: 400, for: 2s}]}}
                clients: [{name: a, key: mock-key}, {name: b, key: mock-key}]
                requests: [{model: gpt-4o, prompt_tokens: {uniform: [1, 500]}, max_tokens: {uniform: [1, 30]}}]
                loops:
                """
            let one = try await run("\(text) 1", mock: mock)
            let three = try await run("\(text) 3", mock: mock)
            #expect(one.total.requests == 120)
            #expect(one.clients.map(\.requests) == three.clients.map(\.requests))
            #expect(one.total.promptTokens == three.total.promptTokens)
            #expect(one.total.completionTokens == three.total.completionTokens)
            #expect(one.total.bytesSent == three.total.bytesSent)
        }

        @Test("has as many workers as the steps and ramps of a closed loop say")
        func steps() async throws {
            let mock = try await Mock.start()
            defer { withExtendedLifetime(mock) {} }
            let phases =
                "[{workers: 2, for: 1s}, {from: 2, to: 8, for: 1s}, {workers: 8, for: 2s}, {workers: 1, for: 2s}]"
            for loops in [1, 3] {
                let result = try await run(
                    """
                    loops: \(loops)
                    load: {closed: {phases: \(phases)}}
                    requests: [{model: gpt-4o, user: "mock:delay=100"}]
                    """,
                    mock: mock
                )
                let seconds = result.timeline
                try #require(seconds.count >= 6)
                #expect(result.total.succeeded == result.total.requests)
                #expect(seconds[0].inFlight <= 2 && seconds[0].ended <= 22)
                #expect(seconds[1].inFlight <= 8 && seconds[1].ended > seconds[0].ended)
                #expect(seconds[2...3].map(\.inFlight).max() == 8)
                #expect(seconds[3].ended > 2 * seconds[0].ended)
                #expect(seconds[5].inFlight <= 1 && (1...12).contains(seconds[5].ended))
            }
        }

        @Test("measures when the first token came and how far apart the others were")
        func tokens() async throws {
            let mock = try await Mock.start()
            defer { withExtendedLifetime(mock) {} }
            let result = try await run(
                """
                load: {closed: {workers: 2, for: 1s}}
                requests: [{model: gpt-4o, stream: true, verify: mock, user: "mock:tokens=10,first-token=80,interval=20"}]
                """,
                mock: mock
            )
            let first = try #require(result.total.firstToken)
            let between = try #require(result.total.betweenTokens)
            #expect(first.min >= 79)
            #expect(between.count == result.total.succeeded * 9)
            // Pieces that a busy machine delivers together have no time between them; over all it evens out.
            #expect(between.mean >= 10 && between.mean < 200)
        }

        @Test("gives up streams after so many events and goes on")
        func aborts() async throws {
            let mock = try await Mock.start()
            defer { withExtendedLifetime(mock) {} }
            let result = try await run(
                """
                max_requests: 40
                load: {closed: {workers: 4, for: 20s}}
                requests:
                  - {model: gpt-4o, stream: true, user: "mock:tokens=1000,interval=1", abort: {fraction: 1, after_events: 5}}
                """,
                mock: mock
            )
            #expect(result.total.aborted == 40)
            #expect(result.total.failed == 0)
            #expect(result.total.events == 200)
            #expect(result.seconds < 19)
        }

        @Test(
            "tells broken streams and answers by what is wrong with them",
            arguments: [
                ("truncate=400,tokens=50", "connection lost", "no [DONE]"),
                ("error-after=3,tokens=50", "broken stream", "error event"),
                ("reset=head", "connection lost", nil), ("garbage=status-line", "malformed answer", nil),
                ("silence=2,tokens=50", "timeout", nil),
            ]
        )
        func faults(fault: String, failure: String, stream: String?) async throws {
            let mock = try await Mock.start()
            defer { withExtendedLifetime(mock) {} }
            let result = try await run(
                """
                max_requests: 6
                timeouts: {request: 500ms}
                load: {closed: {workers: 2, for: 20s}}
                requests: [{model: gpt-4o, stream: true, verify: mock, user: "mock:\(fault)"}]
                """,
                mock: mock
            )
            #expect(result.total.failures == [failure: 6])
            if let stream { #expect(result.total.brokenStreams == [stream: 6]) }
        }

        @Test("sends again after as long as a 429 says, if it is to be honoured")
        func retries() async throws {
            let mock = try await Mock.start()
            defer { withExtendedLifetime(mock) {} }
            let result = try await run(
                """
                max_requests: 4
                retry: {times: 2, honour_retry_after: true}
                load: {closed: {workers: 4, for: 20s}}
                requests: [{model: gpt-4o, user: "mock:status=429,retry-after-ms=150"}]
                """,
                mock: mock
            )
            #expect(result.total.refused == 4)
            #expect(result.total.retries == 8)
            #expect(result.total.retryAfters == 12)
            #expect(try #require(result.books.first).booked == 0)
        }

        @Test("sees a limit that nobody keeps")
        func overshoot() async throws {
            let mock = try await Mock.start()
            defer { withExtendedLifetime(mock) {} }
            let result = try await run(
                """
                load: {open: {phases: [{rate: 100, for: 2s}]}}
                clients: [{name: a, key: mock-key, limits: {requests_per_minute: 600, burst: {requests: 20}}}]
                requests: [{model: gpt-4o}]
                windows: [1s, 2s]
                """,
                mock: mock
            )
            try #require(result.windows.map(\.allowed) == [30, 40])
            #expect(result.windows.allSatisfy { $0.overshoot > 0.5 })
            #expect((80...200).contains(result.windows[1].most))
        }

        @Test("is not begun when a key is wrong or nobody listens")
        func preflight() async throws {
            let mock = try await Mock.start()
            defer { withExtendedLifetime(mock) {} }
            let text = "load: {closed: {workers: 1, for: 1s}}\nrequests: [{model: gpt-4o}]"
            await #expect { try await run(text, key: "wrong", mock: mock) } throws: {
                "\($0)".contains("does not know the key of client 'a' (401)")
            }
            let nobody = Mock(program: mock.program, address: "http://127.0.0.1:1")
            await #expect { try await run(text, mock: nobody) } throws: {
                "\($0)".contains("cannot be used: cannot connect")
            }
        }
    }
}
