import Foundation
import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import Coordination

/// Round trips per second and CPU per command over one connection: `SLUICE_BENCHMARK=1 swift test -c release --filter Benchmark`.
@Suite(.serialized) struct RedisRoundTripBenchmark {
    private final class Callers {
        let client: RedisClient
        let script: RedisScript
        let promise: EventLoopPromise<Void>
        var left: Int

        init(_ client: RedisClient, _ script: RedisScript, calls: Int, promise: EventLoopPromise<Void>) {
            self.client = client
            self.script = script
            self.promise = promise
            left = calls
        }

        /// About as long as an admission with two deployments.
        func next() {
            guard left > 0 else { return }
            left -= 1
            let isLast = left == 0
            var call = RedisScriptCall(script)
            call.key("{0}:v1:c:team-a")
            call.key("{0}:v1:d:sweden/gpt-4o-ptu")
            call.key("{0}:v1:d:sweden/gpt-4o")
            call.argument("5f3a09c1.1763900000.1234567")
            for number in [90_000, 1_234, 600, 600, 100_000, 100_000, 2_700, 450_000, 45_000, 2] {
                call.argument(number)
            }
            client.run(call, deadline: .now() + .seconds(1)) { outcome in
                if case .failure(let error) = outcome { return self.promise.fail(error) }
                if isLast { self.promise.succeed() } else { self.next() }
            }
        }
    }

    @Test(.enabled(if: ProcessInfo.processInfo.environment["SLUICE_BENCHMARK"] != nil), arguments: [1, 16, 64])
    func roundTrips(callers: Int) async throws {
        try await withRedis { server in
            try await withClient(server.configuration, scripts: [.numbers]) { client in
                try await client.becomesReady()
                for calls in [20_000, 200_000] {
                    let promise = client.eventLoop.makePromise(of: Void.self)
                    let (start, before) = (NIODeadline.now(), try await client.on { _ in Self.threadTime() })
                    try await client.on { redis in
                        let state = Callers(redis, .numbers, calls: calls, promise: promise)
                        for _ in 0..<callers { state.next() }
                    }
                    try await promise.futureResult.get()
                    let seconds = Double((NIODeadline.now() - start).nanoseconds) / 1e9
                    let cpu = try await client.on { _ in Self.threadTime() } - before
                    guard calls > 20_000 else { continue }
                    let perSecond = Int(Double(calls) / seconds)
                    print("\(callers) callers: \(perSecond) round trips/s, \(Int(cpu * 1e9) / calls) ns of CPU each")
                }
            }
        }
    }

    /// CPU seconds of the calling thread.
    private static func threadTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
