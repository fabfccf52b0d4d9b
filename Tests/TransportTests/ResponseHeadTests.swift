import Testing

@testable import Transport

@Suite("The head of a response")
struct ResponseHeadTests {
    private let head = ResponseHead()

    @discardableResult
    private func append(_ line: String) -> ResponseHead.OnLine { append(Array(line.utf8)) }

    @discardableResult
    private func append(_ line: [UInt8]) -> ResponseHead.OnLine { line.withUnsafeBytes { head.append(line: $0) } }

    private func appendAll(_ text: String) -> ResponseHead.OnLine {
        var last = ResponseHead.OnLine.more
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            last = append(line + "\r\n")
        }
        return last
    }

    private var fields: [String] {
        head.fields.map {
            String(decoding: head.bytes[$0.name], as: UTF8.self) + "="
                + String(decoding: head.bytes[$0.value], as: UTF8.self)
        }
    }

    @Test("A plain head gives its status and its fields in order")
    func plain() {
        #expect(append("HTTP/1.1 200 OK\r\n") == .more)
        #expect(append("Content-Type: text/plain\r\n") == .more)
        #expect(append("x-two:2\r\n") == .more)
        #expect(append("\r\n") == .complete)
        #expect(head.status == 200)
        #expect(fields == ["Content-Type=text/plain", "x-two=2"])
    }

    @Test(
        "The status line of every version is understood",
        arguments: [
            ("HTTP/2 204 \r\n", 204), ("HTTP/2 200\r\n", 200), ("HTTP/1.0 404 Not Found\r\n", 404),
            ("HTTP/1.1 500\r\n", 500), ("HTTP/1.1 599 Own\r\n", 599), ("HTTP/1.1 200 OK\n", 200),
        ]
    )
    func versions(_ line: String, status: Int) {
        #expect(append(line) == .more)
        #expect(append("\r\n") == .complete)
        #expect(head.status == status)
    }

    @Test(
        "A status line that says no status is refused",
        arguments: [
            "HTTP/1.1\r\n", "HTTP/1.1 \r\n", "HTTP/1.1 20\r\n", "HTTP/1.1 2x0 OK\r\n", "HTTP/1.1 2000 OK\r\n",
            "HTTP/1.1 -10 OK\r\n", "HTTP/1.1 099 Low\r\n", "HTTP/1.1 000 Zero\r\n", "HTTP/1.1 600 High\r\n",
            "HTTP/1.1 999 Own\r\n", "HTTP/1.1  200 OK\r\n",
            "HTTP/1.1 200OK\r\n", "HTTP/\r\n", "HTTP/1.1 600 High\r\n", "HTTP/1.1 999 High\r\n",
        ]
    )
    func badStatus(_ line: String) {
        guard case .invalid = append(line) else {
            Issue.record("accepted \(line.debugDescription)")
            return
        }
    }

    @Test("A field before the status line is refused")
    func fieldFirst() {
        #expect(append("Content-Type: text/plain\r\n") == .invalid("a header field before the status line"))
        #expect(append("\r\n") == .invalid("a header field before the status line"))
    }

    @Test("The memory of one large head is not held for good")
    func givesBack() {
        _ = append("HTTP/1.1 200 OK\r\n")
        _ = append("large: \(String(repeating: "x", count: 60_000))\r\n")
        #expect(append("\r\n") == .complete)
        #expect(head.bytes.capacity > 60_000)
        head.clear()
        #expect(head.bytes.capacity <= 8 * 1024)
        #expect(appendAll("HTTP/1.1 204 No Content\nb: c\n\n") == .complete)
        #expect(fields == ["b=c"])
    }

    @Test("Heads of 1xx responses are skipped, with all their fields")
    func provisional() {
        #expect(appendAll("HTTP/1.1 100 Continue\n\nHTTP/1.1 103 Early Hints\nLink: a\n\n") == .more)
        #expect(head.status == 0)
        #expect(appendAll("HTTP/1.1 201 Created\nA: b\n\n") == .complete)
        #expect(head.status == 201)
        #expect(fields == ["A=b"])
    }

    @Test("Two lengths that differ are refused; the same length twice is one")
    func lengths() {
        #expect(appendAll("HTTP/1.1 200 OK\nContent-Length: 5\ncontent-length: 5\n\n") == .complete)
        head.clear()
        let last = appendAll("HTTP/1.1 200 OK\nContent-Length: 5\ncontent-length: 6\n\n")
        #expect(last == .invalid("Content-Lengths that differ"))
    }

    @Test("A version that was not agreed on is refused")
    func version() {
        let head = ResponseHead(allowsHTTP2: false)
        let result = Array("HTTP/2 200 \r\n".utf8).withUnsafeBytes { head.append(line: $0) }
        #expect(result == .invalid("an HTTP version that was not agreed on"))
    }

    @Test("An agreement to an upgrade that nobody asked for is refused")
    func upgrade() {
        #expect(append("HTTP/1.1 101 Switching Protocols\r\n") == .more)
        guard case .invalid = append("\r\n") else {
            Issue.record("accepted an upgrade")
            return
        }
    }

    @Test("Lines behind a complete head are trailers and change nothing")
    func trailers() {
        #expect(appendAll("HTTP/1.1 200 OK\nA: b\n\n") == .complete)
        #expect(append("X-Trailer: late\r\n") == .more)
        #expect(append(" nonsense \u{0} \r\n") == .more)
        #expect(append("\r\n") == .more)
        #expect(head.status == 200)
        #expect(fields == ["A=b"])
    }

    @Test("A cleared head takes the next response")
    func clear() {
        #expect(appendAll("HTTP/1.1 200 OK\nA: b\n\n") == .complete)
        head.clear()
        #expect(head.status == 0)
        #expect(head.fields.isEmpty)
        #expect(appendAll("HTTP/1.1 404 No\n\n") == .complete)
        #expect(head.status == 404)
        #expect(fields.isEmpty)
    }

    @Test("A folded field is refused", arguments: [" folded\r\n", "\tfolded\r\n", " \r\n"])
    func folded(_ line: String) {
        #expect(appendAll("HTTP/1.1 200 OK\nA: b\n") == .more)
        #expect(append(line) == .invalid("a folded header field"))
    }

    @Test(
        "A field without a valid name is refused",
        arguments: [
            "no colon\r\n", ": no name\r\n", "bad name: v\r\n", "name : v\r\n", "n\u{0}: v\r\n", "nä: v\r\n",
            "(x): v\r\n",
        ]
    )
    func badName(_ line: String) {
        append("HTTP/1.1 200 OK\r\n")
        #expect(append(line) == .invalid("a header field without a valid name"))
    }

    @Test("Every character of a name is judged as RFC 9110 says")
    func everyNameByte() {
        let allowed = Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
        for byte in UInt8.min...UInt8.max where byte != UInt8(ascii: ":") {
            head.clear()
            append("HTTP/1.1 200 OK\r\n")
            let result = append(Array("a".utf8) + [byte] + Array("b: v\r\n".utf8))
            #expect((result == .more) == allowed.contains(byte), "byte \(byte)")
        }
    }

    @Test(
        "Every character of a value is judged, wherever it stands: tab and everything from space on but DEL",
        arguments: [0, 1, 5, 6, 7, 8, 14, 15, 16, 40]
    )
    func everyValueByte(position: Int) {
        for byte in UInt8.min...UInt8.max {
            head.clear()
            append("HTTP/1.1 200 OK\r\n")
            // Neighbours with the highest bit set, and the least ones that are allowed.
            let before = (0..<position).map { [0xC3, 0x20, 0x7E, 0x80, 0x21][$0 % 5] as UInt8 }
            let result = append(Array("name: a".utf8) + before + [byte] + Array("b2345678\r\n".utf8))
            let isAllowed = byte == 0x09 || (byte >= 0x20 && byte != 0x7F)
            #expect(result == (isAllowed ? .more : .invalid("a header field with a control character")), "byte \(byte)")
        }
    }

    @Test("A CR inside a line is refused, also directly before the line end")
    func strayReturn() {
        append("HTTP/1.1 200 OK\r\n")
        #expect(append("a: b\rc: d\r\n") == .invalid("a header field with a control character"))
        #expect(append("a: b\r\r\n") == .invalid("a header field with a control character"))
    }

    @Test(
        "Blanks around a value are no part of it",
        arguments: [
            ("a: b\r\n", "a=b"), ("a:b\r\n", "a=b"), ("a: \t b \t \r\n", "a=b"), ("a:\r\n", "a="), ("a:   \r\n", "a="),
            ("a: b c\r\n", "a=b c"), ("a: b:c\r\n", "a=b:c"), ("a: b\n", "a=b"), ("a: b", "a=b"),
        ]
    )
    func blanks(_ line: String, expected: String) {
        append("HTTP/1.1 200 OK\r\n")
        #expect(append(line) == .more)
        #expect(fields == [expected])
    }

    @Test("As many fields as allowed are kept; one more is too many")
    func manyFields() {
        append("HTTP/1.1 200 OK\r\n")
        for index in 0..<ResponseHead.maximumFields { #expect(append("a\(index): b\r\n") == .more) }
        #expect(append("more: b\r\n") == .tooLarge)
        #expect(head.fields.count == ResponseHead.maximumFields)
    }

    @Test("As many bytes as allowed are kept; one more is too many")
    func manyBytes() {
        append("HTTP/1.1 200 OK\r\n")
        let half = ResponseHead.maximumBytes / 2
        #expect(append("a: " + String(repeating: "x", count: half - 5) + "\r\n") == .more)
        #expect(append("b: " + String(repeating: "y", count: half - 4) + "\r\n") == .tooLarge)
        #expect(append("b: " + String(repeating: "y", count: half - 5) + "\r\n") == .more)
        #expect(append("c:\r\n") == .tooLarge)
        #expect(head.bytes.count == ResponseHead.maximumBytes)
    }

    @Test("Lines are kept one behind the other, each with its line end and without what follows its value")
    func lines() {
        _ = appendAll("HTTP/1.1 200 OK\na:  one \t\nb:\nc: three\n\n")
        let lines = head.fields.map { String(decoding: head.bytes[$0.line], as: UTF8.self) }
        #expect(lines == ["a:  one\r\n", "b:\r\n", "c: three\r\n"])
        #expect(lines.joined() == String(decoding: head.bytes, as: UTF8.self))
    }

    @Test("What a name may consist of is the same byte by byte and in a row")
    func tokens() {
        for byte in UInt8.min...UInt8.max {
            let prefix = withUnsafeBytes(of: byte) { HeaderBytes.tokenPrefix($0) }
            #expect(prefix == (HeaderBytes.isToken(byte) ? 1 : 0), "\(byte)")
        }
    }

    @Test("Names are found whatever their case, and the first of several counts")
    func lookup() {
        _ = appendAll("HTTP/1.1 200 OK\nRetry-After: 7\nX-A: one\nx-a: two\nempty:\n\n")
        #expect(head.first("retry-after") == "7")
        #expect(head.first("x-a") == "one")
        #expect(head.first("empty") == "")
        #expect(head.first("x-b") == nil)
        #expect(head.first("x") == nil)
        #expect(head.matches(head.fields[0], "retry-after"))
        #expect(!head.matches(head.fields[0], "retry-afte"))
        #expect(!head.matches(head.fields[0], "retry-afteR"), "the name to look for is in lower case")
        #expect(head.matches(head.fields[1], "x-a"))
        #expect(head.matches(head.fields[2], "x-a"))
    }

    @Test("Characters that differ from a letter by the case bit only are not confused with it")
    func caseBit() {
        _ = appendAll("HTTP/1.1 200 OK\n`a: b\n@: c\n")
        #expect(head.first("`a") == "b")
        #expect(HeaderBytes.lower(UInt8(ascii: "@")) == UInt8(ascii: "@"))
        #expect(HeaderBytes.lower(UInt8(ascii: "[")) == UInt8(ascii: "["))
        #expect(HeaderBytes.lower(UInt8(ascii: "Z")) == UInt8(ascii: "z"))
    }
}
