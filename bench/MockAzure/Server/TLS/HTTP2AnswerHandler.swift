import NIOCore
import NIOHTTP1

/// One stream of HTTP/2, made to look like a connection of HTTP/1.1 to `ConnectionHandler` behind it.
///
/// Requests pass as they are. Answers come as bytes and leave as parts. Where a connection would be closed or reset in
/// the middle of an answer, the stream is reset.
final class HTTP2AnswerHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = HTTPServerResponsePart

    private var answer = AnswerParts(isBodiless: false)

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head(let head) = self.unwrapInboundIn(data) {
            self.answer = AnswerParts(isBodiless: head.method == .HEAD)
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        do {
            for part in try self.answer.receive(self.unwrapOutboundIn(data)) {
                context.write(self.wrapOutboundOut(part), promise: nil)
            }
            promise?.succeed()
        } catch {
            promise?.fail(error)
            // What stood before the fault still goes out.
            context.flush()
            context.close(promise: nil)
        }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        switch mode {
        case .output where self.answer.isComplete:
            // The stream ended with the answer.
            promise?.succeed()
        case .output, .input, .all:
            context.close(mode: .all, promise: promise)
        }
    }
}
