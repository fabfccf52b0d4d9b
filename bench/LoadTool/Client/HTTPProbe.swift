internal import NIOCore
internal import NIOPosix
internal import NIOSSL

/// A single request outside the load: is the target there, are the keys right, what do the books say.
struct HTTPProbe: Sendable {
    struct Answer: Sendable {
        let status: Int
        let body: ByteBuffer
    }

    /// Why there is no answer, in words for a person.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    static let maximumBodyBytes = 64 * 1_024 * 1_024
    private static let timeout = TimeAmount.seconds(10)

    let group: any EventLoopGroup
    let tls: NIOSSLContext?

    /// - Parameter headers: whole header lines.
    func get(_ path: String, from address: HTTPAddress, headers: String = "") async throws(Failure) -> Answer {
        let request = "GET \(path) HTTP/1.1\r\nhost: \(address.name)\r\nconnection: close\r\n\(headers)\r\n"
        let eventLoop = group.next()
        let promise = eventLoop.makePromise(of: Answer.self)
        let timer = eventLoop.scheduleTask(in: Self.timeout) { promise.fail(Failure(description: "no answer in 10 s")) }
        let tls = address.usesTLS ? tls : nil
        ClientBootstrap(group: eventLoop)
            .connectTimeout(Self.timeout)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        let handler = try NIOSSLClientHandler(context: tls, serverHostname: address.serverName)
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                    try channel.pipeline.syncOperations.addHandler(ProbeHandler(request, promise))
                }
            }
            .connect(host: address.host, port: address.port)
            .whenFailure { promise.fail($0) }
        defer { timer.cancel() }
        do {
            return try await promise.futureResult.get()
        } catch let failure as Failure {
            throw failure
        } catch let error as NIOConnectionError {
            let reason = error.connectionErrors.first.map { "\($0.error)" } ?? "no such host"
            throw Failure(description: "cannot connect (\(reason))")
        } catch let error as ResponseFailure {
            throw Failure(description: "not an HTTP answer: \(error.rawValue)")
        } catch {
            throw Failure(description: "\(error)")
        }
    }
}

/// Sends one request and keeps its promise once the answer is whole.
private final class ProbeHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let request: String
    private let promise: EventLoopPromise<HTTPProbe.Answer>
    private var parser = ResponseParser()
    private var unread = ByteBuffer()
    private var status = 0
    private var body = ByteBuffer()

    init(_ request: String, _ promise: EventLoopPromise<HTTPProbe.Answer>) {
        self.request = request
        self.promise = promise
    }

    func channelActive(context: ChannelHandlerContext) {
        parser.expectAnswer()
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: request)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        unread.writeBuffer(&bytes)
        do throws(ResponseFailure) {
            while let event = try parser.next(&unread) { receive(event, context) }
        } catch {
            promise.fail(error)
            context.close(promise: nil)
        }
    }

    private func receive(_ event: ResponseParser.Event, _ context: ChannelHandlerContext) {
        switch event {
        case .head(let head): status = head.status
        case .body(var piece):
            guard body.readableBytes + piece.readableBytes <= HTTPProbe.maximumBodyBytes else {
                promise.fail(HTTPProbe.Failure(description: "the answer is longer than 64 MiB"))
                return context.close(promise: nil)
            }
            body.writeBuffer(&piece)
        case .end:
            promise.succeed(.init(status: status, body: body))
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        do throws(ResponseFailure) {
            if case .end = try parser.closed() { promise.succeed(.init(status: status, body: body)) }
        } catch {
            promise.fail(HTTPProbe.Failure(description: "the connection ended without an answer"))
        }
    }
}
