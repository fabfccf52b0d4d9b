internal import Foundation
internal import TestSupport

/// An upstream that sends exactly the bytes a test gives it, right or wrong, and remembers what it was sent.
///
/// Every connection is served on a thread of its own by the script that was given.
final class ScriptedUpstream: Upstream {
    typealias Script = @Sendable (UpstreamConnection) throws -> Void

    private struct State {
        var isRunning = true
        var connections: [TCPSocket] = []
        var requests: [RecordedRequest] = []
        var problems: [String] = []
        /// Threads that serve.
        var serving = 0
    }

    let port: Int
    private let state: Shared<State>

    init(_ script: @escaping Script) throws {
        let listener = try ListeningSocket()
        let state = Shared(State())
        port = listener.port
        self.state = state
        Thread.detachNewThread {
            while let socket = listener.accept(while: { state.current.isRunning }) {
                state.change {
                    $0.connections.append(socket)
                    $0.serving += 1
                }
                Thread.detachNewThread {
                    let connection = UpstreamConnection(socket) { request in
                        state.change { $0.requests.append(request) }
                    }
                    do {
                        try script(connection)
                    } catch is UpstreamConnection.PeerLeft {
                        // The gateway closed an idle connection, which it may.
                    } catch {
                        state.change { $0.problems.append("\(error)") }
                    }
                    socket.close()
                    state.change { $0.serving -= 1 }
                }
            }
        }
    }

    /// Answers every request alike, and keeps the connection.
    static func answering(_ answer: String) throws -> ScriptedUpstream {
        try ScriptedUpstream { connection in
            while true {
                _ = try connection.readRequest()
                try connection.send(answer)
            }
        }
    }

    /// Answers every request with an empty JSON object.
    static func answering() throws -> ScriptedUpstream {
        try answering("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
    }

    /// Answers every request with its own target as text.
    static func answeringWithTarget() throws -> ScriptedUpstream {
        try ScriptedUpstream { connection in
            while true {
                let target = try connection.readRequest().target
                try connection.send("HTTP/1.1 200 OK\r\ncontent-length: \(target.utf8.count)\r\n\r\n\(target)")
            }
        }
    }

    deinit {
        state.change {
            $0.isRunning = false
            for connection in $0.connections { connection.abort() }
        }
    }

    /// What it was sent so far, in order of arrival.
    var requests: [RecordedRequest] { state.current.requests }
    /// What a script stumbled over.
    var problems: [String] { state.current.problems }
    var connections: Int { state.current.connections.count }
    /// Connections that are not closed yet.
    var openConnections: Int { state.current.serving }
}

/// A request as the upstream received it, byte for byte.
struct RecordedRequest: Sendable {
    var requestLine: String
    var headers: [(name: String, value: String)]
    /// Without chunked coding.
    var body: [UInt8] = []
    var isChunked = false

    func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name }?.value }
    func values(_ name: String) -> [String] { headers.filter { $0.name.lowercased() == name }.map(\.value) }
    var target: String { String(requestLine.split(separator: " ").dropFirst().first ?? "") }
}

/// One connection of the gateway at the scripted upstream.
final class UpstreamConnection {
    /// The gateway closed the connection where it was expected to send a request.
    struct PeerLeft: Error {}

    let socket: TCPSocket
    private let client: Client
    private let record: (RecordedRequest) -> Void

    init(_ socket: TCPSocket, record: @escaping (RecordedRequest) -> Void) {
        self.socket = socket
        self.record = record
        client = Client(socket)
    }

    /// The next request, recorded when it is complete. - Throws: `PeerLeft`
    func readRequest() throws -> RecordedRequest {
        var request = try readHead()
        if request.isChunked {
            let reader = ResponseReader(client, deadline: .in(.seconds(60)))
            while let chunk = try reader.readChunk() { request.body += chunk }
        } else if let length = request.header("content-length").flatMap({ Int($0) }) {
            try client.fill(until: .in(.seconds(60))) { $0.count >= length }
            request.body = client.take(length)
        }
        record(request)
        return request
    }

    /// The next request's head; the body is left to `receive`.
    func readHead() throws -> RecordedRequest {
        var lines: [String] = []
        while lines.last != "" {
            while client.inbox.lineLength == nil {
                guard try client.receive(until: .in(.seconds(120))) else { throw PeerLeft() }
            }
            let line = client.take(client.inbox.lineLength ?? 0)
            lines.append(String(decoding: line.dropLast(2), as: UTF8.self))
        }
        let fields = lines.dropFirst().dropLast().map { line -> (name: String, value: String) in
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), parts.dropFirst().joined().trimmingCharacters(in: .whitespaces))
        }
        var request = RecordedRequest(requestLine: lines[0], headers: Array(fields))
        request.isChunked = request.header("transfer-encoding") == "chunked"
        return request
    }

    func send(_ text: String) throws { try socket.send(Array(text.utf8), until: .in(.seconds(60))) }
    func send(_ bytes: [UInt8]) throws { try socket.send(bytes, until: .in(.seconds(60))) }

    /// Returns when the gateway has closed the connection, whatever it sends until then.
    func awaitClose(until deadline: Deadline = .soon) throws {
        while try client.receive(until: deadline) {}
    }

    /// Receives once, for those who read a body piece by piece; returns how much, 0 at the end.
    func receive() throws -> Int {
        if client.inbox.count == 0 { try client.receive(until: .in(.seconds(60))) }
        let count = client.inbox.count
        _ = client.take(count)
        return count
    }
}
