internal import TestSupport
internal import Testing

/// A way to fail before the client has got anything, and what the client gets then.
struct UpstreamFailure: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let status: Int
    let code: String
    let script: ScriptedUpstream.Script

    init(_ name: String, _ status: Int, _ code: String, _ script: @escaping ScriptedUpstream.Script) {
        testDescription = name
        self.status = status
        self.code = code
        self.script = script
    }

    /// Sends this as the answer, and closes.
    init(_ name: String, _ status: Int = 502, _ code: String = "upstream_protocol_violation", sends answer: String) {
        self.init(name, status, code) { try $0.send(answer) }
    }

    static let ok = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"

    static let beforeTheHead: [Self] = [
        Self("closes without a byte", 502, "upstream_closed_early") { _ in },
        Self("resets without a byte", 502, "upstream_receive_failed") { $0.socket.reset() },
        Self("closes in the status line", 502, "upstream_closed_early", sends: "HTTP/1."),
        Self("closes in the head", sends: ok),
        Self("is silent", 504, "upstream_first_byte_timeout") { try $0.awaitClose() },
        Self("is silent in the head", 504, "upstream_first_byte_timeout") {
            try $0.send(ok)
            try $0.awaitClose()
        },
        Self("sends rubbish", sends: "rubbish\r\n\r\nmore rubbish\r\n"),
        Self("sends a body alone", sends: "{\"error\":{}}"),
        Self("sends a status line of no known protocol", sends: "ICE/1.0 200 OK\r\ncontent-length: 0\r\n\r\n"),
        Self("sends a status of two digits", sends: "HTTP/1.1 20 OK\r\ncontent-length: 0\r\n\r\n"),
        Self("sends a status of letters", sends: "HTTP/1.1 abc OK\r\ncontent-length: 0\r\n\r\n"),
        Self(
            "sends 5,000 fields",
            502,
            "upstream_head_too_large",
            sends: ok + (0..<5_000).map { "x-\($0): 1\r\n" }.joined() + "content-length: 0\r\n\r\n"
        ),
        Self("sends a field without a colon", sends: ok + "nonsense\r\ncontent-length: 0\r\n\r\n"),
        Self("sends a NUL in a field", sends: ok + "x: \u{0}\r\ncontent-length: 0\r\n\r\n"),
        Self("sends a folded field", sends: ok + "x: 1\r\n folded: 2\r\ncontent-length: 0\r\n\r\n"),
        Self("sends a length that is no number", sends: ok + "content-length: many\r\n\r\n{}"),
        Self("sends a negative length", sends: ok + "content-length: -1\r\n\r\n{}"),
        Self("sends a status line of HTTP/2", sends: "HTTP/2 200 \r\ncontent-length: 0\r\n\r\n"),
        Self("sends a status of 999", sends: "HTTP/1.1 999 OK\r\ncontent-length: 0\r\n\r\n"),
        Self("sends 101 though nobody asked", sends: "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n"),
        Self("sends two lengths", sends: ok + "content-length: 2\r\ncontent-length: 3\r\n\r\n{}"),
        Self(
            "sends a field of a megabyte",
            502,
            "upstream_head_too_large",
            sends: ok + "x: \(String(repeating: "a", count: 1 << 20))\r\n\r\n"
        ),
    ]
}
