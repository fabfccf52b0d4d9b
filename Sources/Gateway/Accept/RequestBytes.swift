internal import NIOCore
internal import NIOHTTP1

/// Stands before the parser and tells the connection that bytes came: the parser itself speaks up only for whole heads.
final class RequestBytes: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let connection: DownstreamConnection

    init(_ connection: DownstreamConnection) { self.connection = connection }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection.bytesReceived(unwrapInboundIn(data))
        context.fireChannelRead(data)
    }

    func channelInactive(context: ChannelHandlerContext) {
        connection.socketIsClosed()
        context.fireChannelInactive()
    }
}

/// Measures the request line, to tell a target that is too long from a header field that is.
struct RequestLineMeter {
    private var isComplete = false
    /// Bytes up to the line's end, as far as they have come.
    private(set) var length = 0

    mutating func advance(over buffer: ByteBuffer) {
        guard !isComplete else { return }
        let bytes = buffer.readableBytesView
        let end = bytes.firstIndex(of: UInt8(ascii: "\n"))
        isComplete = end != nil
        length += bytes.distance(from: bytes.startIndex, to: end ?? bytes.endIndex)
    }
}

/// NIO's parser errors as answers.
enum ParserErrors {
    static func gatewayError(_ error: HTTPParserError, targetIsTooLong: Bool) -> GatewayError {
        switch error {
        case .headerOverflow:
            targetIsTooLong
                ? GatewayError(414, "RequestTargetTooLong", "The request target is too long.", source: .downstream)
                : .headTooLarge
        case .invalidChunkSize: .malformed("a chunk size is not a hexadecimal number")
        case .invalidContentLength, .unexpectedContentLength:
            .malformed("the Content-Length is invalid or stands twice")
        case .invalidHeaderToken: .malformed("a header field is malformed")
        case .invalidMethod: .malformed("the method is unknown")
        case .invalidURL: .malformed("the request target is invalid")
        case .invalidVersion: .malformed("the HTTP version is not 1.0 or 1.1")
        case .invalidEOFState, .closedConnection: .malformed("it ended early")
        default: .malformed("it cannot be parsed")
        }
    }
}
