import Foundation
import Synchronization
import Testing

@testable import LoadTool

extension ProgramTests {
    @Suite("A server that stalls for two seconds in the middle")
    struct StallTests {
        /// Runs the load, with nginx stopped from its second second on, for two.
        private func run(_ load: String) async throws -> RunResult {
            let nginx = try await Nginx.start()
            let scenario = try Scenario.read(
                """
                load: \(load)
                loops: 1
                targets: [\(nginx.address)]
                clients: [{name: a}]
                requests: [{get: /}]
                """,
                file: "stall.yaml",
                from: source()
            )
            let stall = Mutex((begin: 0.0, isOver: false))
            let result = try await LoadRun(scenario: scenario) { _, elapsed in
                stall.withLock { stall in
                    if stall.begin == 0 {
                        nginx.program.send(SIGSTOP)
                        stall.begin = elapsed
                    } else if !stall.isOver, elapsed >= stall.begin + 2 {
                        nginx.program.send(SIGCONT)
                        stall.isOver = true
                    }
                }
            }.run()
            try #require(stall.withLock { $0.isOver })
            withExtendedLifetime(nginx) {}
            return result
        }

        @Test("is seen in the p99 of an open loop: latency counts from the intended start")
        func open() async throws {
            let result = try await run("{open: {phases: [{rate: 300, for: 6s}]}}")
            let latency = try #require(result.total.latency)
            #expect(result.total.requests == 1_800)
            #expect(result.total.failed == 0)
            #expect(latency.p99 > 1_500)
            // A third of the requests fell into the stall.
            #expect(latency.p75 > 100)
            // What the server took is the same as a closed loop would say; the rest was waiting.
            #expect(try #require(FailCondition("p99>1s")).isMet(by: result) == true)
        }

        @Test("is not seen in the p99 of a closed loop, only in its maximum")
        func closed() async throws {
            let result = try await run("{closed: {workers: 4, for: 6s, think_time: 2ms}}")
            let latency = try #require(result.total.latency)
            #expect(result.total.requests > 800)
            #expect(latency.p99 < 500)
            #expect(latency.max > 1_500)
            // With what the callers did not send put in, it is seen after all.
            #expect(try #require(result.corrected).p99 > 1_000)
        }
    }
}
