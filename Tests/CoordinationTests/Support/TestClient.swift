import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import TestSupport

@testable import Coordination

/// A `RedisClient` on an event loop of its own, for tests that run elsewhere.
final class TestClient: Sendable {
    /// What became of one call, and when.
    struct Outcome: Sendable {
        let result: Result<RESPReply, RedisError>
        let elapsed: TimeAmount

        var code: RedisError.Code? {
            switch result {
            case .success: nil
            case .failure(let error): error.code
            }
        }

        var reply: RESPReply? { try? result.get() }
    }

    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let eventLoop: any EventLoop
    private let client: NIOLoopBoundBox<RedisClient?>
    private let eventsSoFar = NIOLockedValueBox<[RedisClientEvent]>([])
    private let lateSoFar = NIOLockedValueBox<[Result<RESPReply, RedisError>]>([])

    init(_ configuration: RedisConfiguration, scripts: [RedisScript] = []) async throws {
        let eventLoop = group.next()
        self.eventLoop = eventLoop
        client = .makeEmptyBox(eventLoop: eventLoop)
        try await eventLoop.submit { [client, eventsSoFar] in
            client.value = RedisClient(configuration, scripts: scripts, eventLoop: eventLoop) { event in
                eventsSoFar.withLockedValue { $0.append(event) }
            }
            client.value?.start()
        }.get()
    }

    var events: [RedisClientEvent] { eventsSoFar.withLockedValue { $0 } }

    /// What came after its caller had gone.
    var late: [Result<RESPReply, RedisError>] { lateSoFar.withLockedValue { $0 } }

    func on<Value: Sendable>(_ body: @escaping @Sendable (RedisClient) throws -> Value) async throws -> Value {
        try await eventLoop.submit { [client] in try body(client.value!) }.get()
    }

    func becomesReady(within seconds: Int64 = 10) async throws {
        try await eventually("the client is ready", within: seconds) {
            try await on { $0.isReady && $0.breaker.isClosed }
        }
    }

    /// One call; the answer is awaited.
    func run(
        _ script: RedisScript,
        keys: [String] = [],
        arguments: [String] = [],
        within time: TimeAmount = .seconds(5)
    ) async throws -> Outcome {
        try await runAll([(script, keys, arguments)], within: time)[0]
    }

    /// Several calls in one turn of the event loop; all answers are awaited.
    func runAll(
        _ calls: [(script: RedisScript, keys: [String], arguments: [String])],
        within time: TimeAmount = .seconds(5)
    ) async throws -> [Outcome] {
        let promise = eventLoop.makePromise(of: [Outcome].self)
        eventLoop.execute { [client, lateSoFar] in
            var outcomes = [Outcome?](repeating: nil, count: calls.count)
            var missing = calls.count
            for (index, call) in calls.enumerated() {
                var encoded = RedisScriptCall(call.script)
                for key in call.keys { encoded.key(key) }
                for argument in call.arguments { encoded.argument(argument) }
                let start = NIODeadline.now()
                let deadline = start + time
                client.value!.run(encoded, deadline: deadline) { result in
                    let now = NIODeadline.now()
                    precondition(outcomes[index] == nil, "a call is answered once")
                    outcomes[index] = Outcome(result: result, elapsed: now - start)
                    missing -= 1
                    if missing == 0 { promise.succeed(outcomes.compactMap { $0 }) }
                } late: { result in
                    lateSoFar.withLockedValue { $0.append(result) }
                }
            }
        }
        return try await promise.futureResult.get()
    }

    /// One call after another, without waiting for answers, while something is wrong.
    ///
    /// - Returns: how much later each was answered than a bare timer of the same loop rang that was set to its deadline: how
    ///   busy the machine is has no part in it.
    func hurry(
        _ script: RedisScript,
        calls count: Int,
        every interval: TimeAmount,
        within time: TimeAmount
    ) async throws -> [(outcome: Outcome, behindTimer: TimeAmount)] {
        try await withThrowingTaskGroup(of: (Outcome, TimeAmount).self) { group in
            for _ in 0..<count {
                group.addTask {
                    let timer = self.eventLoop.scheduleTask(in: time) { NIODeadline.now() }
                    let start = NIODeadline.now()
                    let outcome = try await self.run(script, within: time)
                    let rang = try await timer.futureResult.get()
                    return (outcome, start + outcome.elapsed - max(rang, start + time))
                }
                try await Task.sleep(for: .nanoseconds(interval.nanoseconds))
            }
            var outcomes: [(Outcome, TimeAmount)] = []
            for try await outcome in group { outcomes.append(outcome) }
            return outcomes
        }
    }

    func shutDown(within time: TimeAmount = .seconds(5)) async throws {
        let promise = eventLoop.makePromise(of: Void.self)
        eventLoop.execute { [client] in
            client.value!.shutDown(by: .now() + time) { promise.succeed() }
        }
        try await promise.futureResult.get()
    }

    func end() async throws {
        try await shutDown()
        try await group.shutdownGracefully()
    }
}

/// Runs a test with a client and ends it, whatever happens.
func withClient(
    _ configuration: RedisConfiguration,
    scripts: [RedisScript] = [],
    _ body: (TestClient) async throws -> Void
) async throws {
    let client = try await TestClient(configuration, scripts: scripts)
    do {
        try await body(client)
    } catch {
        try? await client.end()
        throw error
    }
    try await client.end()
}
