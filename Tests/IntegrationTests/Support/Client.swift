internal import TestSupport

/// A client of the gateway that sends exactly the bytes it is told to and takes answers apart strictly.
final class Client {
    let socket: TCPSocket
    /// Bytes received and not yet taken.
    private(set) var inbox: ByteQueue
    private(set) var isAtEnd = false
    private(set) var wasReset = false
    private let server: Gateway?

    /// - Parameter server: kept running as long as this client is there.
    init(_ socket: TCPSocket, of server: Gateway? = nil) {
        self.socket = socket
        self.server = server
        inbox = ByteQueue()
    }

    func send(_ text: String) throws { try socket.send(Array(text.utf8)) }
    func send(_ bytes: [UInt8]) throws { try socket.send(bytes) }

    /// Sends what a client sends of a request with the team's key.
    func request(
        _ method: String,
        _ target: String,
        headers: [String] = [],
        body: [UInt8]? = nil,
        key: String? = GatewayConfigurationText.key
    ) throws {
        try send(Self.bytes(method, target, headers: headers, body: body, key: key))
    }

    static func bytes(
        _ method: String,
        _ target: String,
        headers: [String] = [],
        body: [UInt8]? = nil,
        key: String? = GatewayConfigurationText.key
    ) -> [UInt8] {
        var lines = ["\(method) \(target) HTTP/1.1", "host: gateway"]
        if let key { lines.append("api-key: \(key)") }
        lines += headers
        if let body { lines.append("content-length: \(body.count)") }
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + (body ?? [])
    }

    // MARK: receiving

    /// Receives until the condition holds; throws if the connection ends before.
    func fill(until deadline: Deadline = .soon, _ isEnough: (ByteQueue) throws -> Bool) throws {
        while try !isEnough(inbox) {
            guard try receive(until: deadline) else {
                throw Unexpected(
                    "the connection ended \(wasReset ? "by a reset " : "")after \(inbox.text.debugDescription)"
                )
            }
        }
    }

    func take(_ count: Int) -> [UInt8] { inbox.take(count) }

    /// Receives once; returns whether the connection is still open for receiving.
    @discardableResult
    func receive(until deadline: Deadline = .soon) throws -> Bool {
        if isAtEnd { return false }
        switch try socket.receive(until: deadline) {
        case .bytes(let bytes): inbox.append(bytes)
        case .end: isAtEnd = true
        case .reset:
            isAtEnd = true
            wasReset = true
        }
        return !isAtEnd
    }

    /// Everything up to the end of the connection.
    func drain(until deadline: Deadline = .soon) throws -> [UInt8] {
        while try receive(until: deadline) {}
        return inbox.take(inbox.count)
    }

    /// Whether the gateway closes the connection without sending anything more.
    func isClosed(until deadline: Deadline = .soon) throws -> Bool {
        while try receive(until: deadline) {}
        return inbox.count == 0
    }

    /// The next answer, complete.
    func response(to method: String = "GET", until deadline: Deadline = .soon) throws -> Response {
        try ResponseReader(self, deadline: deadline).read(method: method)
    }

    /// The next answer's head alone; its body is still to be read.
    func responseHead(until deadline: Deadline = .soon) throws -> Response {
        try ResponseReader(self, deadline: deadline).readHead()
    }
}

/// Bytes that are added at the end and taken from the front.
struct ByteQueue {
    private var storage: [UInt8] = []
    private var start = 0

    var count: Int { storage.count - start }
    var text: String { String(decoding: storage[start...].prefix(2_000), as: UTF8.self) }

    mutating func append(_ bytes: [UInt8]) {
        if start == storage.count {
            storage = bytes
            start = 0
        } else {
            storage += bytes
        }
    }

    mutating func take(_ count: Int) -> [UInt8] {
        precondition(count <= self.count)
        defer { start += count }
        return Array(storage[start..<start + count])
    }

    /// How many bytes there are up to and with the first CRLF.
    var lineLength: Int? {
        var index = start
        while index + 1 < storage.count {
            if storage[index] == 0x0D, storage[index + 1] == 0x0A { return index + 2 - start }
            index += 1
        }
        return nil
    }
}
