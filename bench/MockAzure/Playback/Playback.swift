import NIOCore

/// Puts one answer on the wire, step by step, with what shall go wrong on the way.
///
/// It decides what is written, waited for and broken; `ConnectionHandler` performs it. No clock and no socket: of the
/// loop it takes the ids and the date of the head alone. Every call of `next` gives one step, and each `.write` is a
/// write to the socket of its own.
struct Playback {
    enum Step {
        /// The bytes stand in the buffer that was handed in.
        case write
        case wait(TimeAmount)
        /// Nothing more comes, and the connection stays open.
        case hold
        /// The answer is complete.
        case end(keepAlive: Bool)
        /// Close the connection in order, though more was promised.
        case cut
        /// Close the connection with a reset.
        case reset
    }

    private enum State {
        /// Nothing written. Can go to: `.head`.
        case start
        /// The delay is over. Can go to: `.body`, `.broken`; or `.ended` where there is no body.
        case head
        /// Head written. Can go to: `.silent`, `.broken`, `.ended`.
        case body
        /// Every byte of the answer written. Final.
        case ended
        /// Stopped in the middle, connection open. Final.
        case silent
        /// To be closed in a way no answer ends; `paused` once the peer had time to read. Final.
        case broken(reset: Bool, paused: Bool)
    }

    /// The most body bytes in one write, so that large answers respect the peer's pace.
    private static let maximumPiece = 64 * 1_024
    /// A reset can overtake the bytes sent before it; this is the head start they get.
    private static let resetHeadStart = TimeAmount.milliseconds(25)

    private let head: AnswerHead
    private let faults: Faults
    private let suppressBody: Bool
    private var source: BodySource
    private var state = State.start
    /// Body bytes produced and not yet written.
    private var pending = ByteBuffer()
    /// Body bytes written.
    private var written = 0
    /// What is left of the pause before the next event, once it was begun.
    private var eventPause: TimeAmount?
    /// Set while a pause that a sign of life ends is taken.
    private var keepaliveDue = false
    /// Set once the pause before the next piece of an event has been taken.
    private var piecePaused = false
    /// A pause the body asked for while the head was written, to be taken next.
    private var owedPause: TimeAmount?
    let isStream: Bool

    init(_ answer: Answer, faults: Faults, keepAlive: Bool, isHead: Bool, isVersion10: Bool) {
        let source = BodySource(answer.body, faults: faults)
        let framing = Self.framing(source, answer, faults, isVersion10: isVersion10)
        let breaks = faults.garbage != nil && faults.garbage != .extra
        self.head = AnswerHead(
            status: answer.status,
            contentType: answer.contentType,
            framing: framing,
            deployment: answer.deployment,
            limits: answer.limits,
            allow: answer.allow,
            faults: faults,
            keepAlive: keepAlive && framing != .untilClose && !breaks,
            isVersion10: isVersion10
        )
        self.faults = faults
        self.suppressBody = isHead || answer.status == 204 || answer.status == 304
        self.source = source
        self.isStream = answer.isStream
    }

    private static func framing(
        _ source: BodySource,
        _ answer: Answer,
        _ faults: Faults,
        isVersion10: Bool
    ) -> AnswerHead.Framing {
        let wantsLength = faults.contentLength ?? !answer.isStream
        if wantsLength && faults.garbage != .chunk || answer.status == 204 || answer.status == 304 {
            return .length(source.countBytes())
        }
        return isVersion10 ? .untilClose : .chunked
    }

    /// Events begun and completion tokens in them since the last call.
    mutating func takeProgress() -> StreamProgress {
        self.source.takeProgress()
    }

    mutating func next(into buffer: inout ByteBuffer, loop: LoopState) -> Step {
        switch self.state {
        case .start:
            self.state = .head
            return self.faults.delay > .zero ? .wait(self.faults.delay) : self.next(into: &buffer, loop: loop)
        case .head:
            if let broken = self.breakage(at: nil) { return self.breakOff(broken, &buffer, loop) }
            self.head.write(into: &buffer, loop: loop)
            self.state = self.suppressBody ? .ended : .body
            // The head goes out with the first piece of the body, unless that is to wait.
            if !self.suppressBody, case .wait(let amount)? = self.writeBody(into: &buffer) { self.owedPause = amount }
            return .write
        case .body:
            if let amount = self.owedPause.take() { return .wait(amount) }
            return self.writeKeepalive(into: &buffer) ?? self.writeBody(into: &buffer)
                ?? self.next(into: &buffer, loop: loop)
        case .ended:
            return .end(keepAlive: self.head.keepAlive)
        case .silent:
            if let written = self.writeKeepalive(into: &buffer) { return written }
            guard let interval = self.keepaliveInterval else { return .hold }
            self.keepaliveDue = true
            return .wait(interval)
        case .broken(true, paused: false):
            self.state = .broken(reset: true, paused: true)
            return .wait(Self.resetHeadStart)
        case .broken(let reset, _):
            return reset ? .reset : .cut
        }
    }
}

// MARK: - Body

extension Playback {
    /// Writes the next piece of the body, or says what comes instead; `nil` when the state changed and decides.
    private mutating func writeBody(into buffer: inout ByteBuffer) -> Step? {
        if let broken = self.breakage(at: self.written) {
            self.state = .broken(reset: broken, paused: false)
            return nil
        }
        switch self.fill() {
        case .ready: break
        case .pause(let amount) where self.pending.readableBytes == 0: return .wait(amount)
        case .pause: break
        case .silence where self.pending.readableBytes == 0:
            self.state = .silent
            return nil
        case .silence: break
        }
        if let wait = self.pauseBeforePiece() { return .wait(wait) }
        self.writePiece(into: &buffer)
        return .write
    }

    private enum Fill {
        /// There is a piece's worth of bytes, or the answer ends with what there is.
        case ready
        /// The next event is not due yet.
        case pause(TimeAmount)
        /// The next event shall never come.
        case silence
    }

    /// Produces events until there is a piece to write: one event, or as many as fill a piece of the size asked for.
    private mutating func fill() -> Fill {
        while !self.source.isEmpty && self.pending.readableBytes < self.faults.chunk ?? 1 {
            if self.source.events == self.faults.silence { return .silence }
            let pause = self.source.pause
            // Bytes that wait for company go out before a pause, not after it.
            if pause > .zero && self.pending.readableBytes > 0 { return .pause(pause) }
            if let part = self.takePause(pause) { return .pause(part) }
            if self.pending.readableBytes == 0 { self.pending.clear() }
            self.source.writeNext(into: &self.pending)
        }
        return .ready
    }

    /// The next stretch of the pause before an event, of which signs of life make several; `nil` once it is over.
    private mutating func takePause(_ pause: TimeAmount) -> TimeAmount? {
        let left = self.eventPause ?? pause
        guard left > .zero else {
            self.eventPause = nil
            return nil
        }
        guard let interval = self.keepaliveInterval, interval < left else {
            self.eventPause = .zero
            return left
        }
        self.keepaliveDue = true
        self.eventPause = left - interval
        return interval
    }

    /// Signs of life are bytes of the body, so there are none where the length was told before.
    private var keepaliveInterval: TimeAmount? {
        switch self.head.framing {
        case .chunked, .untilClose: self.faults.content.keepalive
        case .length: nil
        }
    }

    /// Writes a sign of life, if the pause that was just taken calls for one.
    private mutating func writeKeepalive(into buffer: inout ByteBuffer) -> Step? {
        guard self.keepaliveDue else { return nil }
        self.keepaliveDue = false
        var event = ByteBuffer()
        self.source.writeKeepalive(into: &event)
        guard event.readableBytes > 0 else { return nil }
        self.written += event.readableBytes
        if self.head.framing == .chunked {
            Self.writeChunk(event, into: &buffer)
        } else {
            buffer.writeImmutableBuffer(event)
        }
        return .write
    }

    private mutating func pauseBeforePiece() -> TimeAmount? {
        guard self.faults.chunkInterval > .zero, self.written > 0 else { return nil }
        self.piecePaused.toggle()
        return self.piecePaused ? self.faults.chunkInterval : nil
    }

    private mutating func writePiece(into buffer: inout ByteBuffer) {
        var size = min(self.pending.readableBytes, self.faults.chunk ?? Self.maximumPiece)
        for case .afterBody(let limit)? in [self.faults.truncate, self.faults.reset] {
            size = min(size, limit - self.written)
        }
        if self.faults.garbage == .chunk && self.written > 0 {
            buffer.writeStaticString("zz\r\nno chunk\r\n")
            self.state = .ended
            return
        }
        if let piece = self.pending.readSlice(length: size), size > 0 {
            if self.head.framing == .chunked {
                Self.writeChunk(piece, into: &buffer)
            } else {
                buffer.writeImmutableBuffer(piece)
            }
            self.written += size
        }
        if self.source.isEmpty && self.pending.readableBytes == 0 { self.finish(into: &buffer) }
    }

    private mutating func finish(into buffer: inout ByteBuffer) {
        // A cut exactly at the end of a chunked body still takes the last chunk away.
        if self.head.framing == .chunked && self.breakage(at: self.written) != nil { return }
        if self.head.framing == .chunked {
            buffer.writeStaticString(self.faults.garbage == .chunk ? "zz\r\n" : "0\r\n\r\n")
        }
        if self.faults.garbage == .extra {
            buffer.writeStaticString("HTTP/1.1 and some bytes that belong to nothing\r\n")
        }
        self.state = .ended
    }

    private static func writeChunk(_ piece: ByteBuffer, into buffer: inout ByteBuffer) {
        buffer.writeString(String(piece.readableBytes, radix: 16))
        buffer.writeStaticString("\r\n")
        buffer.writeImmutableBuffer(piece)
        buffer.writeStaticString("\r\n")
    }
}

// MARK: - Breakage

extension Playback {
    /// Whether the answer breaks off at this many body bytes (`nil`: before the head), and if so whether by a reset.
    private func breakage(at written: Int?) -> Bool? {
        if let reset = self.faults.reset, Self.isReached(reset, written) { return true }
        if let truncate = self.faults.truncate, Self.isReached(truncate, written) { return false }
        return nil
    }

    private static func isReached(_ cut: Faults.Cut, _ written: Int?) -> Bool {
        switch cut {
        case .beforeHead: written == nil
        case .afterBody(let limit): written.map { $0 >= limit } ?? false
        }
    }

    private mutating func breakOff(_ reset: Bool, _ buffer: inout ByteBuffer, _ loop: LoopState) -> Step {
        self.state = .broken(reset: reset, paused: true)
        return self.next(into: &buffer, loop: loop)
    }
}
