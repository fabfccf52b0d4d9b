internal import Foundation
internal import TestSupport

/// One answer as the client received it.
struct Response {
    var status = 0
    var headers: [(name: String, value: String)] = []
    var body: [UInt8] = []
    /// Statuses of the 1xx answers before it.
    var interim: [Int] = []
    /// The body's framing, as the head announced it.
    var framing = Framing.untilClose

    enum Framing: Equatable {
        case none
        case length(Int)
        case chunked
        case untilClose
    }

    var text: String { String(decoding: body, as: UTF8.self) }

    func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name }?.value }

    var closes: Bool { header("connection")?.lowercased() == "close" }

    /// `error.code` of Azure's error shape; `nil` if the body is not of that shape.
    var errorCode: String? {
        guard header("content-type")?.hasPrefix("application/json") == true,
            let object = try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any],
            let error = object["error"] as? [String: Any], let message = error["message"] as? String, !message.isEmpty
        else { return nil }
        return error["code"] as? String
    }
}

/// Takes an answer apart (RFC 9112) and throws at whatever a strict client could stumble over.
struct ResponseReader {
    private let client: Client
    private let deadline: Deadline

    init(_ client: Client, deadline: Deadline) {
        self.client = client
        self.deadline = deadline
    }

    func read(method: String) throws -> Response {
        var response = try readHead()
        if method == "HEAD" || response.status == 204 || response.status == 304 {
            response.framing = .none
            return response
        }
        switch response.framing {
        case .none: break
        case .length(let count): response.body = try bytes(count)
        case .chunked: while let chunk = try readChunk() { response.body += chunk }
        case .untilClose:
            response.body = try client.drain(until: deadline)
            if client.wasReset { throw Unexpected("a reset in a body that ends with the connection") }
        }
        return response
    }

    func readHead() throws -> Response {
        var response = Response()
        while true {
            let status = try statusLine()
            let headers = try fields()
            if (100..<200).contains(status) {
                guard headers.isEmpty else { throw Unexpected("header fields in an interim answer: \(headers)") }
                response.interim.append(status)
                continue
            }
            response.status = status
            response.headers = headers
            response.framing = try Self.framing(headers)
            return response
        }
    }

    /// The next chunk of a chunked body, and `nil` for its end.
    func readChunk() throws -> [UInt8]? {
        let line = try line()
        guard !line.isEmpty, line.count <= 8, line.allSatisfy({ $0.isHexDigit }), let size = Int(line, radix: 16) else {
            throw Unexpected("a chunk size: \(line.debugDescription)")
        }
        if size == 0 {
            let end = try self.line()
            if !end.isEmpty { throw Unexpected("a trailer: \(end)") }
            return nil
        }
        let chunk = try bytes(size)
        guard try bytes(2) == [0x0D, 0x0A] else { throw Unexpected("no CRLF behind a chunk") }
        return chunk
    }

    private func statusLine() throws -> Int {
        let line = try line()
        let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "HTTP/1.1", parts[1].utf8.count == 3, let status = Int(parts[1]),
            (100...599).contains(status)
        else { throw Unexpected("a status line: \(line.debugDescription)") }
        return status
    }

    private func fields() throws -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        while true {
            let line = try line()
            if line.isEmpty { return fields }
            guard let colon = line.firstIndex(of: ":"), colon > line.startIndex,
                line[..<colon].utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
                line.utf8.allSatisfy({ $0 >= 0x20 || $0 == 9 })
            else { throw Unexpected("a header field: \(line.debugDescription)") }
            let value = line[line.index(after: colon)...].trimmingCharacters(in: CharacterSet(charactersIn: " \t"))
            fields.append((String(line[..<colon]), value))
        }
    }

    private static func framing(_ headers: [(name: String, value: String)]) throws -> Response.Framing {
        let lengths = headers.filter { $0.name.lowercased() == "content-length" }.map(\.value)
        let codings = headers.filter { $0.name.lowercased() == "transfer-encoding" }.map(\.value)
        guard lengths.count + codings.count <= 1 else { throw Unexpected("a body framed twice: \(headers)") }
        if let length = lengths.first {
            guard length.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let count = Int(length) else {
                throw Unexpected("a content-length: \(length)")
            }
            return .length(count)
        }
        if let coding = codings.first {
            guard coding == "chunked" else { throw Unexpected("a transfer-encoding: \(coding)") }
            return .chunked
        }
        return .untilClose
    }

    private func line() throws -> String {
        try client.fill(until: deadline) { $0.lineLength != nil }
        let bytes = client.take(client.inbox.lineLength ?? 0)
        guard let line = String(validating: bytes.dropLast(2), as: UTF8.self), !line.contains("\n"),
            !line.contains("\r")
        else { throw Unexpected("a line: \(String(decoding: bytes, as: UTF8.self).debugDescription)") }
        return line
    }

    private func bytes(_ count: Int) throws -> [UInt8] {
        try client.fill(until: deadline) { $0.count >= count }
        return client.take(count)
    }
}
