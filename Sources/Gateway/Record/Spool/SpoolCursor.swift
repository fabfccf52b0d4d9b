internal import Glibc

/// How far a sink is, kept in a file beside the spool: the place in the spool, and what the sink itself needs to go on there.
struct SpoolCursor: Equatable {
    var position: SpoolPosition
    /// The sink's own; no line break in it.
    var mark = ""

    private var body: String {
        "sluice-cursor 1\n\(position.segment) \(position.offset) \(position.events)\n\(mark)\n"
    }

    /// `nil` where there is none, or not a whole one.
    init?(reading path: String) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        guard count > 0 else { return nil }
        let lines = String(decoding: bytes[..<count], as: UTF8.self).split(
            separator: "\n",
            omittingEmptySubsequences: false
        )
        guard lines.count >= 4, lines[0] == "sluice-cursor 1" else { return nil }
        let numbers = lines[1].split(separator: " ")
        guard numbers.count == 3, let segment = UInt64(numbers[0]), let offset = Int(numbers[1]),
            let events = Int(numbers[2])
        else { return nil }
        self.init(
            position: SpoolPosition(segment: segment, offset: offset, events: events),
            mark: String(lines[2])
        )
        guard lines[3] == Self.checksum(body) else { return nil }
    }

    init(position: SpoolPosition, mark: String) {
        self.position = position
        self.mark = mark
    }

    /// Puts it in the place of the last one, whole or not at all.
    func write(to path: String) throws(SystemFailure) {
        let text = Array((body + Self.checksum(body)).utf8)
        let descriptor = open(path + ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw SystemFailure("create", path) }
        defer { close(descriptor) }
        try FileBytes.write(text, to: descriptor, at: 0, of: path)
        guard rename(path + ".new", path) == 0 else { throw SystemFailure("rename", path) }
    }

    private static func checksum(_ text: String) -> String {
        String(SpoolBlock.checksum(Array(text.utf8)), radix: 16)
    }
}

/// Events that a sink takes at once.
struct SpoolBatch {
    var events: [UsageEvent] = []
    /// Behind them.
    var end: SpoolPosition
    /// There may be more.
    var isFull = false
}

/// Reads the spool for one sink, on the sink's thread.
final class SpoolReader {
    private let spool: UsageSpool
    private let sink: Int
    private var descriptor: Int32 = -1
    private var segment: UInt64?

    /// Bytes of the spool that are taken at once, if one block is not more.
    static let mostBytes = 128 * 1024

    init(_ spool: UsageSpool, sink: Int) {
        self.spool = spool
        self.sink = sink
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// What comes after what the sink has; `nil` where nothing does, or nothing can be read.
    func next() -> SpoolBatch? {
        let end = spool.state.read { $0.end }
        var position = spool.delivered(to: sink)
        while position < end {
            let batch = blocks(from: position, to: end)
            if batch.end > position { return batch }
            guard position.segment < end.segment, let next = spool.segment(after: position.segment) else { break }
            let isWhole = spool.state.read { state in
                guard let left = state.segments.first(where: { $0.number == position.segment }) else { return true }
                return left.bytes <= position.offset
            }
            if isWhole {
                spool.delivered(to: sink, upTo: next)
            } else {
                spool.skipSegment(for: sink, at: position)
            }
            position = spool.delivered(to: sink)
        }
        return nil
    }

    private func blocks(from start: SpoolPosition, to end: SpoolPosition) -> SpoolBatch {
        var batch = SpoolBatch(end: start)
        guard show(start.segment) else { return batch }
        while batch.end.segment < end.segment || batch.end.offset < end.offset,
            batch.end.offset - start.offset < Self.mostBytes,
            let block = SpoolBlock(reading: descriptor, at: batch.end.offset)
        {
            var frames = UsageFrameReader(block.frames)
            while let event = frames.next() { batch.events.append(event) }
            batch.end.offset += block.byteCount
            batch.end.events += block.events
        }
        batch.isFull = batch.end.offset - start.offset >= Self.mostBytes
        return batch
    }

    private func show(_ number: UInt64) -> Bool {
        if segment == number { return true }
        if descriptor >= 0 { close(descriptor) }
        descriptor = open(spool.folder.path(ofSegment: number), O_RDONLY | O_CLOEXEC)
        segment = descriptor >= 0 ? number : nil
        return descriptor >= 0
    }
}
