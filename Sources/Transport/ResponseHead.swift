internal import CCurl

/// The head of a response, kept as the bytes that came: no string is made for a field that nobody reads.
///
/// One object serves a transfer's whole life; `status` and the fields are those of the final (not 1xx) response.
package final class ResponseHead {
    /// Where one field stands in `bytes`; the value without surrounding white space.
    package struct Field: Sendable {
        package let name: Range<Int>
        package let value: Range<Int>

        /// The whole field with its line end; that of the next one follows.
        package var line: Range<Int> { name.lowerBound..<(value.upperBound + 2) }
    }

    /// 200...599; 0 before a head came.
    package private(set) var status = 0
    package private(set) var bytes: [UInt8] = []
    package private(set) var fields: [Field] = []
    private(set) var isComplete = false
    private let allowsHTTP2: Bool

    /// Most bytes that the fields of one head may have together; libcurl refuses single lines above 100 kB itself.
    package static let maximumBytes = 64 * 1024
    package static let maximumFields = 256
    /// Bytes that it may hold between two heads.
    private static let keptBytes = 8 * 1024

    /// - Parameter allowsHTTP2: whether the connection may have negotiated it; "HTTP/2" on any other is a lie that libcurl
    ///   would believe.
    package init(allowsHTTP2: Bool = true) {
        self.allowsHTTP2 = allowsHTTP2
        bytes.reserveCapacity(1024)
        fields.reserveCapacity(24)
    }

    package func clear() {
        status = 0
        // One head of 64 KiB is no reason to hold as much for the next.
        if bytes.capacity > Self.keptBytes { bytes = [] }
        bytes.removeAll(keepingCapacity: true)
        fields.removeAll(keepingCapacity: true)
        isComplete = false
    }

    /// To be kept when the transfer is over.
    package func copy() -> ResponseHead {
        let copy = ResponseHead(allowsHTTP2: allowsHTTP2)
        copy.status = status
        copy.bytes = bytes
        copy.fields = fields
        copy.isComplete = isComplete
        return copy
    }

    /// Gives the memory back while a long response runs, when nobody will read the fields again.
    package func release() {
        bytes = []
        fields = []
    }

    package enum OnLine: Equatable {
        case more
        /// The empty line behind a final head.
        case complete
        /// The bytes are not to be trusted; the text says why.
        case invalid(String)
        case tooLarge
    }

    /// Takes one line as libcurl's header callback gives it, line end included.
    ///
    /// Heads of 1xx responses are skipped. Lines behind a complete head are trailers (RFC 9110 section 6.5), which are
    /// not passed on.
    package func append(line: UnsafeRawBufferPointer) -> OnLine {
        if isComplete { return .more }
        var line = line
        if line.last == UInt8(ascii: "\n") { line = .init(rebasing: line.dropLast()) }
        if line.last == UInt8(ascii: "\r") { line = .init(rebasing: line.dropLast()) }
        if isStatusLine(line) { return startHead(line) }
        guard status != 0 else { return .invalid("a header field before the status line") }
        if line.isEmpty { return endHead() }
        return appendField(line)
    }

    private func isStatusLine(_ line: UnsafeRawBufferPointer) -> Bool {
        line.count >= 5 && line[0] == UInt8(ascii: "H") && line[1] == UInt8(ascii: "T") && line[2] == UInt8(ascii: "T")
            && line[3] == UInt8(ascii: "P") && line[4] == UInt8(ascii: "/")
    }

    private func startHead(_ line: UnsafeRawBufferPointer) -> OnLine {
        clear()
        // "HTTP/1.1 200 OK", "HTTP/2 200 "
        guard let space = line.firstIndex(of: UInt8(ascii: " ")), line.count >= space + 4,
            line.count == space + 4 || line[space + 4] == UInt8(ascii: " ")
        else { return .invalid("a status line that is not HTTP") }
        var status = 0
        for byte in line[(space + 1)..<(space + 4)] {
            guard byte &- 0x30 < 10 else { return .invalid("a status code that is not a number") }
            status = status * 10 + Int(byte &- 0x30)
        }
        // RFC 9110 section 15: outside of these, a status code is invalid.
        guard (100...599).contains(status) else { return .invalid("a status code outside 100 to 599") }
        guard allowsHTTP2 || line[5] == UInt8(ascii: "1") else {
            return .invalid("an HTTP version that was not agreed on")
        }
        self.status = status
        return .more
    }

    private func endHead() -> OnLine {
        // Nobody asks for an upgrade, so nobody may agree to one (RFC 9110 section 15.2.2).
        if status == 101 { return .invalid("101 Switching Protocols without an upgrade") }
        if status < 200 {
            clear()
            return .more
        }
        guard lengthsAgree else { return .invalid("Content-Lengths that differ") }
        isComplete = true
        return .complete
    }

    /// RFC 9112 section 6.3: what has two lengths has none, and must not be passed on.
    private var lengthsAgree: Bool {
        var first: Range<Int>?
        for field in fields where matches(field, "content-length") {
            guard let value = first else {
                first = field.value
                continue
            }
            if bytes[value] != bytes[field.value] { return false }
        }
        return true
    }

    private func appendField(_ line: UnsafeRawBufferPointer) -> OnLine {
        guard bytes.count + line.count + 2 <= Self.maximumBytes, fields.count < Self.maximumFields else {
            return .tooLarge
        }
        // Folding (RFC 9112 section 5.2) is obsolete, and what another parser makes of it is unknown: refused.
        guard let first = line.first, first != UInt8(ascii: " "), first != UInt8(ascii: "\t") else {
            return .invalid("a folded header field")
        }
        let colon = HeaderBytes.tokenPrefix(line)
        guard colon > 0, colon < line.count, line[colon] == UInt8(ascii: ":") else {
            return .invalid("a header field without a valid name")
        }
        var (begin, end) = (colon + 1, line.count)
        while begin < end, HeaderBytes.isBlank(line[begin]) { begin += 1 }
        while begin < end, HeaderBytes.isBlank(line[end - 1]) { end -= 1 }
        let value = begin..<end
        guard HeaderBytes.areValue(UnsafeRawBufferPointer(rebasing: line[value])) else {
            return .invalid("a header field with a control character")
        }
        let start = bytes.count
        bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: line[..<end]).bindMemory(to: UInt8.self))
        bytes.append(UInt8(ascii: "\r"))
        bytes.append(UInt8(ascii: "\n"))
        fields.append(
            Field(
                name: start..<(start + colon),
                value: (start + value.lowerBound)..<(start + value.upperBound)
            )
        )
        return .more
    }
}

extension ResponseHead {
    /// A date in any of the forms of RFC 9110 section 5.6.7, as seconds since 1970; `nil` for anything else.
    package static func date(_ text: String) -> Int64? {
        let seconds = curl_getdate(text, nil)
        return seconds < 0 ? nil : Int64(seconds)
    }

    /// The value of the first field of that name, as a string. `name` is in lower case.
    package func first(_ name: StaticString) -> String? {
        for field in fields where matches(field, name) { return String(decoding: bytes[field.value], as: UTF8.self) }
        return nil
    }

    /// Whether the field's value begins with that media type, and nothing or a parameter follows (RFC 9110 section 8.3.1).
    package func isMediaType(_ field: Field, _ type: StaticString) -> Bool {
        bytes.withUnsafeBufferPointer { bytes in
            let value = bytes[field.value]
            guard value.count >= type.utf8CodeUnitCount else { return false }
            for offset in 0..<type.utf8CodeUnitCount
            where HeaderBytes.lower(value[value.startIndex + offset]) != type.utf8Start[offset] { return false }
            let next = value.dropFirst(type.utf8CodeUnitCount).first { !HeaderBytes.isBlank($0) }
            return next == nil || next == UInt8(ascii: ";")
        }
    }

    /// The field's value as a decimal number (1*DIGIT); `nil` for anything else, and for more than an `Int` holds.
    package func number(_ field: Field) -> Int? {
        guard !field.value.isEmpty else { return nil }
        var number = 0
        for byte in bytes[field.value] {
            guard byte &- 0x30 < 10 else { return nil }
            let (tens, overflows) = number.multipliedReportingOverflow(by: 10)
            let (sum, overflowsToo) = tens.addingReportingOverflow(Int(byte &- 0x30))
            guard !overflows, !overflowsToo else { return nil }
            number = sum
        }
        return number
    }

    /// Whether the field has that value.
    package func value(_ field: Field, is text: String) -> Bool { bytes[field.value].elementsEqual(text.utf8) }

    /// Whether the field has that name, which is in lower case.
    package func matches(_ field: Field, _ name: StaticString) -> Bool {
        field.name.count == name.utf8CodeUnitCount && begins(field, name)
    }

    /// Whether the field's name begins so; `prefix` is in lower case.
    package func begins(_ field: Field, _ prefix: StaticString) -> Bool {
        guard field.name.count >= prefix.utf8CodeUnitCount else { return false }
        return bytes.withUnsafeBufferPointer { bytes in
            let (name, prefix, count) = (
                bytes.baseAddress! + field.name.lowerBound, prefix.utf8Start, prefix.utf8CodeUnitCount
            )
            // From the end: many names begin with "x-".
            var offset = count
            while offset > 0 {
                offset -= 1
                if HeaderBytes.lower(name[offset]) != prefix[offset] { return false }
            }
            return true
        }
    }
}
