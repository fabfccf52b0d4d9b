import Glibc
import NIOCore

/// A `multipart/form-data` body taken apart (RFC 7578): small fields by name, and the files.
struct MultipartForm {
    struct File {
        /// The name of its field.
        let field: String
        let name: String
        /// Where its content is in the body.
        let range: Range<Int>
    }

    private(set) var fields: [String: String] = [:]
    private(set) var files: [File] = []

    /// More parts than this are refused; Azure takes 16 images at most.
    private static let maximumParts = 256

    /// Longer fields than this are cut; none that matters is.
    private static let maximumFieldBytes = 64 * 1024

    init(_ body: ByteBuffer, contentType: String) throws(BadRequest) {
        guard let boundary = Self.parameter("boundary", of: contentType), !boundary.isEmpty else {
            throw BadRequest("Invalid content type: expected multipart/form-data with a boundary.")
        }
        let outcome = body.withUnsafeReadableBytes { bytes -> Result<MultipartForm, BadRequest> in
            var form = MultipartForm()
            do throws(BadRequest) {
                try form.read(bytes, delimiter: Array("\r\n--\(boundary)".utf8))
                return .success(form)
            } catch {
                return .failure(error)
            }
        }
        self = try outcome.get()
    }

    private init() {}

    /// The faults among the fields: `mock`, a list of them, and `user`.
    func readFaults(into faults: inout Faults) throws(BadRequest) {
        try faults.readList(self.fields["mock"] ?? "")
        try faults.readUser(self.fields["user"] ?? "")
        if self.fields["prompt"]?.hasPrefix(ContentReader.filteredMarker.description) == true { faults.filterPrompt() }
    }

    private mutating func read(_ bytes: UnsafeRawBufferPointer, delimiter: [UInt8]) throws(BadRequest) {
        // The first delimiter may stand at the very start, without the line break before it.
        let opening = Array(delimiter.dropFirst(2))
        var cursor: Int
        if bytes.starts(with: opening) {
            cursor = opening.count
        } else if let found = Self.find(delimiter, in: bytes, from: 0) {
            cursor = found + delimiter.count
        } else {
            throw BadRequest("Invalid multipart body: the boundary does not occur.")
        }
        while !bytes[cursor...].starts(with: "--".utf8) {
            guard
                let headEnd = Self.find(Array("\r\n\r\n".utf8), in: bytes, from: cursor),
                let partEnd = Self.find(delimiter, in: bytes, from: headEnd + 2)
            else {
                throw BadRequest("Invalid multipart body: it ends within a part.")
            }
            let head = String(decoding: bytes[cursor..<headEnd], as: UTF8.self)
            self.add(head: head, content: bytes[min(headEnd + 4, partEnd)..<partEnd])
            if self.fields.count + self.files.count > Self.maximumParts {
                throw BadRequest("Too many parts in the form: at most \(Self.maximumParts) are accepted.")
            }
            cursor = partEnd + delimiter.count
        }
    }

    private mutating func add(head: String, content: Slice<UnsafeRawBufferPointer>) {
        let lines = head.split(separator: "\r\n")
        let disposition = lines.first { $0.prefix(20).matches("content-disposition:") }
        guard let disposition, let name = Self.parameter("name", of: disposition) else { return }
        if let fileName = Self.parameter("filename", of: disposition) {
            self.files.append(File(field: name, name: fileName, range: content.startIndex..<content.endIndex))
        } else {
            self.fields[name] = String(decoding: content.prefix(Self.maximumFieldBytes), as: UTF8.self)
        }
    }

    /// The value of `; name=value` or `; name="value"`.
    private static func parameter(_ name: String, of header: some StringProtocol) -> String? {
        for parameter in header.split(separator: ";").dropFirst() {
            let pair = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, pair[0].drop(while: { $0 == " " }).matches(name) else { continue }
            let value = pair[1]
            if value.hasPrefix("\""), let close = value.dropFirst().firstIndex(of: "\"") {
                return String(value[value.index(after: value.startIndex)..<close])
            }
            return String(value.prefix { $0 != " " })
        }
        return nil
    }

    private static func find(_ needle: [UInt8], in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard let base = bytes.baseAddress, let first = needle.first else { return nil }
        var cursor = start
        while cursor + needle.count <= bytes.count {
            // The search for the first byte is what a large file is passed over with.
            let rest = bytes.count - needle.count - cursor + 1
            guard let found = memchr(base + cursor, Int32(first), rest) else { return nil }
            cursor = UnsafeRawPointer(found) - base
            if memcmp(found, needle, needle.count) == 0 { return cursor }
            cursor += 1
        }
        return nil
    }
}
