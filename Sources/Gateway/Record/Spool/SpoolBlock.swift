internal import CZlib
internal import Glibc

/// Where in the spool something stands: between two blocks.
struct SpoolPosition: Comparable, Sendable {
    var segment: UInt64
    /// Bytes.
    var offset = 0
    /// Events before it, in this segment.
    var events = 0

    static func < (one: Self, other: Self) -> Bool { (one.segment, one.offset) < (other.segment, other.offset) }
}

/// What is written to the spool at once: a head of 16 bytes (mark, length, number of events and CRC-32 of the rest) and frames.
struct SpoolBlock {
    static let headBytes = 16
    /// A length beyond it is no block's.
    static let mostBytes = 1 << 20
    private static let mark: UInt32 = 0x3155_4C53  // "SLU1"

    let events: Int
    let frames: [UInt8]

    var byteCount: Int { Self.headBytes + frames.count }

    var head: [UInt8] {
        var head: [UInt8] = []
        for number in [Self.mark, UInt32(frames.count), UInt32(events), Self.checksum(frames)] {
            for shift in stride(from: UInt32(0), through: 24, by: 8) {
                head.append(UInt8(truncatingIfNeeded: number >> shift))
            }
        }
        return head
    }

    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        bytes.withUnsafeBytes { czlib_crc32($0.baseAddress, $0.count) }
    }

    init(events: Int, frames: [UInt8]) {
        self.events = events
        self.frames = frames
    }

    /// Reads the block at `offset`; `nil` at the end, and for what is torn or damaged.
    init?(reading descriptor: Int32, at offset: Int) {
        guard let head = Self.read(descriptor, Self.headBytes, at: offset) else { return nil }
        let numbers = (0..<4).map { place in
            (0..<4).reduce(UInt32(0)) { $0 | UInt32(head[4 * place + $1]) << UInt32(8 * $1) }
        }
        guard numbers[0] == Self.mark, numbers[1] <= Self.mostBytes,
            let frames = Self.read(descriptor, Int(numbers[1]), at: offset + Self.headBytes),
            Self.checksum(frames) == numbers[3]
        else { return nil }
        self.init(events: Int(numbers[2]), frames: frames)
    }

    private static func read(_ descriptor: Int32, _ count: Int, at offset: Int) -> [UInt8]? {
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { room, filled in
            while filled < count {
                let more = pread(descriptor, room.baseAddress! + filled, count - filled, off_t(offset + filled))
                if more < 0, errno == EINTR { continue }
                if more <= 0 { break }
                filled += more
            }
        }
        return bytes.count == count ? bytes : nil
    }
}

/// A file of the spool that is being written.
struct SpoolSegment {
    let number: UInt64
    private let descriptor: Int32
    private let path: String
    private(set) var bytes = 0
    private(set) var events = 0

    init(creating number: UInt64, in folder: SpoolFolder) throws(SystemFailure) {
        self.number = number
        path = folder.path(ofSegment: number)
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw SystemFailure("create", path) }
    }

    var end: SpoolPosition { SpoolPosition(segment: number, offset: bytes, events: events) }

    /// Writes it whole, or leaves the file as it was.
    mutating func append(_ block: SpoolBlock) throws(SystemFailure) {
        do throws(SystemFailure) {
            try FileBytes.write(block.head, to: descriptor, at: bytes, of: path)
            try FileBytes.write(block.frames, to: descriptor, at: bytes + SpoolBlock.headBytes, of: path)
        } catch {
            ftruncate(descriptor, off_t(bytes))
            throw error
        }
        bytes += block.byteCount
        events += block.events
    }

    /// Survives the machine from then on.
    func sync() { fdatasync(descriptor) }

    func close() { Glibc.close(descriptor) }

    /// What an earlier process left in a segment. A block that is torn, as its writer was killed, and all behind it is cut off.
    static func mend(_ number: UInt64, in folder: SpoolFolder) -> SpoolPosition {
        var end = SpoolPosition(segment: number)
        let descriptor = open(folder.path(ofSegment: number), O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return end }
        defer { Glibc.close(descriptor) }
        while let block = SpoolBlock(reading: descriptor, at: end.offset) {
            end.offset += block.byteCount
            end.events += block.events
        }
        ftruncate(descriptor, off_t(end.offset))
        return end
    }
}

enum FileBytes {
    /// Writes all of it.
    static func write(_ bytes: [UInt8], to descriptor: Int32, at offset: Int, of path: String) throws(SystemFailure) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                pwrite(descriptor, $0.baseAddress! + written, $0.count - written, off_t(offset + written))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SystemFailure("write", path, count == 0 ? ENOSPC : errno) }
            written += count
        }
    }
}
