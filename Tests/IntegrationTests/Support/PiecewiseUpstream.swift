/// An upstream that answers with a body in just the pieces it is given, each in a write of its own.
final class PiecewiseUpstream: Sendable {
    enum Framing: String, CaseIterable, Sendable {
        case chunked
        case length
        /// The body ends with the connection.
        case close
    }

    struct Answer: Sendable {
        var pieces: [[UInt8]]
        var framing: Framing
        var contentType = "text/event-stream"
        /// Waited for between the first piece and the others.
        var goOn: Flag?
    }

    let server: ScriptedUpstream
    private let answer: Shared<Answer>

    init() throws {
        let answer = Shared(Answer(pieces: [], framing: .length))
        self.answer = answer
        server = try ScriptedUpstream { connection in
            while true {
                _ = try connection.readRequest()
                let current = answer.current
                try Self.send(current, connection)
                if current.framing == .close { return }
            }
        }
    }

    /// What the next request is answered with.
    func set(_ next: Answer) { answer.change { $0 = next } }

    private static func send(_ answer: Answer, _ connection: UpstreamConnection) throws {
        let length = answer.pieces.reduce(0) { $0 + $1.count }
        let framing =
            switch answer.framing {
            case .chunked: "transfer-encoding: chunked\r\n"
            case .length: "content-length: \(length)\r\n"
            case .close: "connection: close\r\n"
            }
        try connection.send("HTTP/1.1 200 OK\r\ncontent-type: \(answer.contentType)\r\n\(framing)\r\n")
        for (index, piece) in answer.pieces.enumerated() {
            if index == 1, let goOn = answer.goOn { try goOn.await("the client to have the first piece") }
            if piece.isEmpty { continue }
            if answer.framing == .chunked {
                try connection.send(Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + [0x0D, 0x0A])
            } else {
                try connection.send(piece)
            }
        }
        if answer.framing == .chunked { try connection.send("0\r\n\r\n") }
    }
}
