import Glibc
import NIOCore
import NIOSSL

/// The way out: performs one playback after the other.
extension ConnectionHandler: NIOScheduledCallbackHandler {
    /// So many writes in a row before the loop's other connections get their turn.
    private static let maximumTurn = 64
    /// An orderly close waits so long for the peer's end, and then no longer.
    private static let lingering = TimeAmount.seconds(2)

    func start(_ playback: Playback, context: ChannelHandlerContext) {
        self.phase = .answering
        self.playback = playback
        self.continuePlayback(context)
    }

    func handleScheduledCallback(eventLoop: some EventLoop) {
        self.timer = nil
        guard let context = self.context else { return }
        if self.phase == .closing { return context.close(promise: nil) }
        self.continuePlayback(context)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable && self.timer == nil { self.continuePlayback(context) }
        context.fireChannelWritabilityChanged()
    }

    /// Performs steps until one has to be waited for.
    private func continuePlayback(_ context: ChannelHandlerContext) {
        // A flush can make the channel writable again, and the end of an answer can start the next: both call back.
        guard !self.isPlaying else { return }
        self.isPlaying = true
        var writes = 0
        play: while self.phase == .answering, context.channel.isWritable, let step = self.nextStep() {
            switch step {
            case .write:
                self.write(context)
                writes += 1
                if writes == Self.maximumTurn {
                    self.wait(.zero, context)
                    break play
                }
            case .wait(let amount):
                self.wait(amount, context)
                break play
            case .hold:
                break play
            case .end(let keepAlive):
                self.finish(keepAlive: keepAlive, context)
            case .cut:
                self.finish(keepAlive: false, context)
            case .reset:
                self.reset(context)
            }
        }
        self.isPlaying = false
        // A complete answer may wait for its company until the read ends; a piece of one goes out at once.
        if !self.isReading || self.playback != nil { self.flush(context) }
    }

    private func nextStep() -> Playback.Step? {
        self.output.clear()
        guard let step = self.playback?.next(into: &self.output, loop: self.loop) else { return nil }
        if let progress = self.playback?.takeProgress() {
            self.booking?.progressed(progress, self.loop)
        }
        return step
    }

    private func write(_ context: ChannelHandlerContext) {
        if !self.mayJoin { self.flush(context) }
        self.mayJoin = false
        self.isFlushed = false
        self.booking?.wrote(bytes: self.output.readableBytes, self.loop)
        context.write(self.wrapOutboundOut(self.output), promise: nil)
    }

    func writeContinue(_ context: ChannelHandlerContext) {
        let interim = ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")
        context.writeAndFlush(self.wrapOutboundOut(interim), promise: nil)
    }

    func flush(_ context: ChannelHandlerContext) {
        if self.isFlushed { return }
        self.isFlushed = true
        context.flush()
    }

    private func wait(_ amount: TimeAmount, _ context: ChannelHandlerContext) {
        var deadline = NIODeadline.now() + amount
        // Thousands of paced streams wake the loop once a millisecond then, not once each.
        if amount > .milliseconds(5) {
            let grain = UInt64(TimeAmount.milliseconds(1).nanoseconds)
            deadline = .uptimeNanoseconds((deadline.uptimeNanoseconds + grain - 1) / grain * grain)
        }
        self.timer = try? context.eventLoop.assumeIsolated().scheduleCallback(at: deadline, handler: self)
    }

    // MARK: The end of an answer

    private func finish(keepAlive: Bool, _ context: ChannelHandlerContext) {
        self.closeRequest(aborted: false)
        self.mayJoin = true
        guard keepAlive else { return self.closeInOrder(context) }
        self.phase = .reading
        self.receiveBacklog(context)
    }

    /// Ends our side and waits for the peer's, so that nothing it still sends turns the end into a reset.
    private func closeInOrder(_ context: ChannelHandlerContext) {
        self.phase = .closing
        self.flush(context)
        context.close(mode: .output, promise: nil)
        self.wait(Self.lingering, context)
    }

    private func reset(_ context: ChannelHandlerContext) {
        self.closeRequest(aborted: false)
        self.phase = .closing
        // With a linger time of zero the kernel drops what is unsent and answers with RST.
        if let socket = context.channel as? any SocketOptionProvider {
            _ = socket.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        }
        // Past TLS, which would take its leave first.
        let tls = try? context.pipeline.syncOperations.context(handlerType: NIOSSLServerHandler.self)
        (tls ?? context).close(promise: nil)
    }
}
