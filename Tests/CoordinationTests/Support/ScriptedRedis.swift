import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

@testable import Coordination

/// What a scripted server says.
struct Answers: Sendable {
    /// From a command and its number on the connection, counted from zero, to the bytes of the answer.
    let answer: @Sendable (_ command: [String], _ number: Int) -> String

    init(_ answer: @escaping @Sendable (_ command: [String], _ number: Int) -> String) { self.answer = answer }
}

/// A server that says what a test wants, for what a real Redis is hard to bring to say.
final class ScriptedRedis: Sendable {
    let port: Int
    private let group: MultiThreadedEventLoopGroup
    private let readCount: NIOLockedValueBox<[Int]>

    private init(port: Int, group: MultiThreadedEventLoopGroup, readCount: NIOLockedValueBox<[Int]>) {
        self.port = port
        self.group = group
        self.readCount = readCount
    }

    static func start(_ answers: Answers) async throws -> ScriptedRedis {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let readCount = NIOLockedValueBox<[Int]>([])
        let channel = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(answers, readCount))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return ScriptedRedis(port: channel.localAddress?.port ?? 0, group: group, readCount: readCount)
    }

    /// What a real Redis answers to the commands of a connection's preparation, and `nil` to any other.
    static func prepare(_ command: [String]) -> String? {
        switch command.first {
        case "SCRIPT" where command.count == 3:
            let digest = RedisScript(name: "", text: command[2]).digest
            return "$\(digest.utf8.count)\r\n\(digest)\r\n"
        case "CLIENT", "AUTH", "SELECT": return "+OK\r\n"
        case "PING": return "+PONG\r\n"
        default: return command.contains(RedisScript.probe.digest) ? ":1\r\n" : nil
        }
    }

    /// How many commands came with each read.
    var commandsPerRead: [Int] { readCount.withLockedValue { $0 } }

    func stop() async throws { try await group.shutdownGracefully() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let answers: Answers
        private let readCount: NIOLockedValueBox<[Int]>
        private let reader = RESPReader()
        private var number = 0

        init(_ answers: Answers, _ readCount: NIOLockedValueBox<[Int]>) {
            self.answers = answers
            self.readCount = readCount
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            reader.feed(unwrapInboundIn(data))
            let first = number
            while let command = try? reader.next()?.array?.compactMap(\.text) {
                let answer = answers.answer(command, number)
                number += 1
                context.channel.writeAndFlush(ByteBuffer(string: answer), promise: nil)
            }
            let count = number - first
            readCount.withLockedValue { $0.append(count) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

/// Runs a test with a client of a scripted server and ends both, whatever happens.
func withScriptedRedis(
    _ answers: Answers,
    firstOpening: TimeAmount = .seconds(1),
    _ body: (ScriptedRedis, TestClient) async throws -> Void
) async throws {
    let server = try await ScriptedRedis.start(answers)
    var configuration = RedisConfiguration(address: RedisAddress(host: "127.0.0.1", port: server.port))
    configuration.breaker.firstOpening = firstOpening
    do {
        try await withClient(configuration) { try await body(server, $0) }
    } catch {
        try? await server.stop()
        throw error
    }
    try await server.stop()
}
