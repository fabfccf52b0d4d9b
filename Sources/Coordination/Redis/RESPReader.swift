internal import CHiredis
package import NIOCore

/// Bytes of Redis in, replies out: hiredis's reader, behind a guard that limits what a peer may announce.
///
/// hiredis calls back for every value, and the reply is built in Swift at once, so no `redisReply` is ever allocated. After
/// a violation nothing more is read: the connection is to be closed, and no reply that was begun is handed out.
package final class RESPReader {
    private let reader: UnsafeMutablePointer<redisReader>
    private var guardian: RESPGuard
    private var violation: RESPViolation?
    /// Arrays that wait for elements, the innermost last.
    private var unfinished: [Frame] = []
    private var finished: RESPReply?

    private struct Frame {
        let count: Int
        var elements: [RESPReply] = []
    }

    package init(limits: RESPLimits = RESPLimits()) {
        guard let reader = redisReaderCreateWithFunctions(RESPCallbacks.table) else { fatalError("out of memory") }
        self.reader = reader
        guardian = RESPGuard(limits: limits)
        reader.pointee.privdata = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit { redisReaderFree(reader) }

    /// Takes what the socket gave. What is wrong with it, `next` says when the replies before it have been taken.
    package func feed(_ buffer: ByteBuffer) {
        buffer.withUnsafeReadableBytes { feed($0) }
    }

    package func feed(_ bytes: UnsafeRawBufferPointer) {
        guard violation == nil else { return }
        let (accepted, violation) = guardian.scan(bytes)
        self.violation = violation
        if accepted > 0, redisReaderFeed(reader, bytes.baseAddress, accepted) != REDIS_OK {
            self.violation = .reader(readerError)
        }
    }

    /// The next complete reply, or `nil` until more bytes come.
    package func next() throws(RESPViolation) -> RESPReply? {
        var object: UnsafeMutableRawPointer?
        guard redisReaderGetReply(reader, &object) == REDIS_OK else {
            let violation = violation ?? .reader(readerError)
            self.violation = violation
            throw violation
        }
        if let reply = finished {
            finished = nil
            return reply
        }
        if let violation { throw violation }
        return nil
    }

    /// Bytes that wait for the end of a reply.
    var unreadBytes: Int { reader.pointee.len - reader.pointee.pos }

    private var readerError: String {
        withUnsafeBytes(of: reader.pointee.errstr) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    // MARK: what hiredis calls

    fileprivate func beginArray(of count: Int) {
        guard count > 0 else { return add(.array([])) }
        var frame = Frame(count: count)
        frame.elements.reserveCapacity(min(count, 64))
        unfinished.append(frame)
    }

    fileprivate func add(_ reply: RESPReply) {
        var reply = reply
        while var frame = unfinished.popLast() {
            frame.elements.append(reply)
            guard frame.elements.count == frame.count else { return unfinished.append(frame) }
            reply = .array(frame.elements)
        }
        finished = reply
    }
}

/// The functions through which hiredis builds replies: each finds its `RESPReader` in the task and hands the value on.
///
/// What they return is kept by hiredis only to give it back or to free it; the reader itself stands for every value.
private enum RESPCallbacks {
    nonisolated(unsafe) static let table: UnsafeMutablePointer<redisReplyObjectFunctions> = {
        let table = UnsafeMutablePointer<redisReplyObjectFunctions>.allocate(capacity: 1)
        table.initialize(
            to: redisReplyObjectFunctions(
                createString: { task, bytes, count in string(task, bytes, count) },
                createArray: { task, count in value(task) { $0.beginArray(of: Int(count)) } },
                createInteger: { task, integer in value(task) { $0.add(.integer(Int64(integer))) } },
                createNil: { task in value(task) { $0.add(.null) } },
                freeObject: { _ in }
            )
        )
        return table
    }()

    private static func string(
        _ task: UnsafePointer<redisReadTask>?,
        _ bytes: UnsafeMutablePointer<CChar>?,
        _ count: Int
    ) -> UnsafeMutableRawPointer? {
        let bytes = [UInt8](UnsafeRawBufferPointer(start: bytes, count: count))
        return switch task?.pointee.type {
        case REDIS_REPLY_ERROR: value(task) { $0.add(.error(bytes)) }
        case REDIS_REPLY_STATUS: value(task) { $0.add(.status(bytes)) }
        default: value(task) { $0.add(.string(bytes)) }
        }
    }

    private static func value(
        _ task: UnsafePointer<redisReadTask>?,
        _ body: (RESPReader) -> Void
    ) -> UnsafeMutableRawPointer? {
        guard let context = task?.pointee.privdata else { return nil }
        body(Unmanaged<RESPReader>.fromOpaque(context).takeUnretainedValue())
        return context
    }
}
