import NIOCore
import NIOHTTP1

/// The calls about the mock itself: `/mock/stats`, `/mock/reset` and `/mock/limits`.
extension ConnectionHandler {
    func answerControl(_ request: IncomingRequest, context: ChannelHandlerContext) {
        self.phase = .answering
        if request.route.kind == .limits {
            let control = LimitControl(deployments: self.resource.deployments)
            let answer = control.answer(request.body, changes: request.head.method == .POST, now: self.loop.clock.now)
            _ = self.loop.tick()
            return self.play(answer, to: request, context: context)
        }
        // The books are those of every loop, each to be asked where it is.
        let done: EventLoopFuture<Books>
        if request.route.kind == .stats {
            done = self.shards.total(on: context.eventLoop)
        } else {
            self.resource.deployments.restartLimits()
            done = self.shards.reset(on: context.eventLoop).map { Books() }
        }
        done.assumeIsolated().whenSuccess { books in
            guard self.phase == .answering, let context = self.context else { return }
            _ = self.loop.tick()
            var body = ByteBuffer()
            books.writeJSON(into: &body)
            self.play(Answer(.whole(body)), to: request, context: context)
        }
    }
}
