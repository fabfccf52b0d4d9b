internal import DequeModule
internal import NIOCore
internal import NIOPosix

/// A few commands to Redis, one after the other, outside the load.
struct RedisConnection: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private static let timeout = TimeAmount.seconds(10)
    private let channel: any Channel
    private let handler: NIOLoopBound<RedisReplyHandler>

    static func open(_ address: RedisAddress, on group: any EventLoopGroup) async throws -> RedisConnection {
        let eventLoop = group.next()
        let handler = try await eventLoop.submit { NIOLoopBound(RedisReplyHandler(), eventLoop: eventLoop) }.get()
        let channel = try await ClientBootstrap(group: eventLoop)
            .connectTimeout(timeout)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler.value) }
            }
            .connect(host: address.host, port: address.port).get()
        let connection = RedisConnection(channel: channel, handler: handler)
        if let password = address.password {
            _ = try await connection.send(["AUTH"] + (address.username.map { [$0] } ?? []) + [password])
        }
        return connection
    }

    func send(_ words: [String]) async throws -> RESPValue {
        let promise = channel.eventLoop.makePromise(of: RESPValue.self)
        let bytes = RESPValue.command(words)
        channel.eventLoop.execute {
            handler.value.waiting.append(promise)
            channel.writeAndFlush(bytes, promise: nil)
        }
        let timer = channel.eventLoop.scheduleTask(in: Self.timeout) { channel.close(promise: nil) }
        defer { timer.cancel() }
        let reply = try await promise.futureResult.get()
        if case .error(let text) = reply { throw Failure(description: "Redis: \(text)") }
        return reply
    }

    func close() async throws { try await channel.close().get() }
}

/// Gives each reply to the command that waits longest.
private final class RedisReplyHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    var waiting = Deque<EventLoopPromise<RESPValue>>()
    private var unread = ByteBuffer()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        unread.writeBuffer(&bytes)
        do throws(RESPValue.Malformed) {
            while let value = try RESPValue.read(&unread) { waiting.popFirst()?.succeed(value) }
        } catch {
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        while let promise = waiting.popFirst() {
            promise.fail(RedisConnection.Failure(description: "Redis closed the connection or did not answer"))
        }
    }
}
