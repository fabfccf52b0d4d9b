internal import TestSupport

/// Reads an answer's body as it comes.
struct BodyReader {
    let head: Response
    private let client: Client
    private let reader: ResponseReader
    private var left: Int
    private var hasEnded = false

    /// Reads the head.
    init(_ client: Client, deadline: Deadline = .soon) throws {
        self.client = client
        reader = ResponseReader(client, deadline: deadline)
        head = try reader.readHead()
        if case .length(let length) = head.framing { left = length } else { left = 0 }
    }

    /// At least as many bytes, or all there are.
    mutating func read(atLeast count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count, let more = try next() { bytes += more }
        return bytes
    }

    mutating func readToEnd() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let more = try next() { bytes += more }
        return bytes
    }

    /// What came since the last call, waiting for at least a byte; `nil` at the body's end.
    mutating func next() throws -> [UInt8]? {
        if hasEnded { return nil }
        switch head.framing {
        case .chunked:
            if let chunk = try reader.readChunk() { return chunk }
        case .length where left > 0:
            try client.fill { $0.count > 0 }
            let bytes = client.take(min(left, client.inbox.count))
            left -= bytes.count
            return bytes
        case .untilClose:
            while client.inbox.count == 0, try client.receive() {}
            if client.inbox.count > 0 { return client.take(client.inbox.count) }
        case .length, .none: break
        }
        hasEnded = true
        return nil
    }
}
