package import NIOCore

/// Small values that replicas leave for each other, beside what they share of limits. None is needed: whoever gets no answer
/// makes do without.
extension FleetCoordination {
    package enum ValueError: Error, Equatable {
        /// No connection yet, or none any more: soon there may be one.
        case notConnected
        case failed(RedisError.Code)
    }

    /// How long Redis may take for one of them; nobody's request waits for it.
    private static let valueTimeout = TimeAmount.seconds(1)

    /// - Parameter eventLoop: one that has a coordinator; the future is completed there.
    package func value(_ name: String, on eventLoop: any EventLoop) -> EventLoopFuture<[UInt8]?> {
        ask(RESPCommand(["GET", key(name)]), on: eventLoop) { reply in
            if case .string(let bytes) = reply { bytes } else { nil }
        }
    }

    /// - Parameter lifetime: until it is forgotten.
    package func setValue(
        _ name: String,
        to bytes: [UInt8],
        lifetime: TimeAmount,
        on eventLoop: any EventLoop
    ) -> EventLoopFuture<Void> {
        let milliseconds = String(max(1, lifetime.nanoseconds / 1_000_000))
        let command = RESPCommand(["SET", key(name)], bytes, ["PX", milliseconds])
        return ask(command, on: eventLoop) { _ in }
    }

    /// Whether nobody has claimed that name for so long.
    package func claim(_ name: String, for time: TimeAmount, on eventLoop: any EventLoop) -> EventLoopFuture<Bool> {
        let milliseconds = String(max(1, time.nanoseconds / 1_000_000))
        let command = RESPCommand(["SET", key(name), "1", "NX", "PX", milliseconds])
        return ask(command, on: eventLoop) { reply in
            if case .status = reply { true } else { false }
        }
    }

    private func key(_ name: String) -> String { KeySpace(namespace: namespace).value + name }

    private func ask<Value: Sendable>(
        _ command: RESPCommand,
        on eventLoop: any EventLoop,
        _ read: @escaping @Sendable (RESPReply) -> Value
    ) -> EventLoopFuture<Value> {
        let promise = eventLoop.makePromise(of: Value.self)
        guard let coordinator = coordinator(of: eventLoop) else {
            promise.fail(ValueError.notConnected)
            return promise.futureResult
        }
        eventLoop.execute {
            coordinator.client.upkeep(.plain(command), deadline: .now() + Self.valueTimeout) { outcome in
                switch outcome {
                case .success(let reply): promise.succeed(read(reply))
                case .failure(let error) where error.code == .notConnected: promise.fail(ValueError.notConnected)
                case .failure(let error): promise.fail(ValueError.failed(error.code))
                }
            }
        }
        return promise.futureResult
    }
}
