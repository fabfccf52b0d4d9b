/// Finds the form field `model` in a multipart/form-data body (RFC 7578) that comes in pieces.
///
/// It goes on to the body's end, so that a second `model`, which another reader might prefer, is noticed too. Of the body it
/// keeps no more than one part's head and a delimiter's length.
struct MultipartModelScanner {
    enum Finding: Equatable {
        case none
        /// Range of the value in the whole body.
        case model(String, range: Range<Int>)
        case invalid(String)
    }

    private enum State: Equatable {
        /// Before a delimiter, inside the preamble or a part that does not matter.
        case skipping
        /// Behind a delimiter, up to the empty line of the part's head.
        case head
        /// In the value of `model`, up to the next delimiter.
        case value
        case done
    }

    /// Most bytes of one part's head, and of a model's name.
    private static let maxHead = 8 * 1024
    private static let maxValue = 256

    private let delimiter: [UInt8]
    private var state = State.skipping
    /// The bytes not yet decided on.
    private var window: [UInt8]
    /// Offset of the window in the body; a delimiter may stand at the very start without its line break.
    private var offset = -2
    private var hasModel = false

    /// Bytes of the body that wait for a decision.
    var heldBytes: Int { window.count }

    /// `nil` when the content type names no boundary of 1 to 70 characters.
    init?(contentType: String) {
        guard let boundary = Self.boundary(of: contentType) else { return nil }
        delimiter = Array("\r\n--".utf8) + Array(boundary.utf8)
        window = [0x0D, 0x0A]
    }

    /// Whether the body broke off in the value of `model`.
    var isInModel: Bool { state == .value }

    /// Takes the next bytes of the body.
    mutating func feed(_ bytes: UnsafeRawBufferPointer) -> Finding {
        guard state != .done else { return .none }
        window.append(contentsOf: bytes)
        var finding = Finding.none
        while true {
            switch state {
            case .skipping:
                guard let at = find(delimiter) else {
                    drop(max(0, window.count - delimiter.count))
                    return finding
                }
                drop(at + delimiter.count)
                state = .head
            case .head:
                switch delimiterEnd() {
                case .unknown: return finding
                case .body:
                    state = .done
                    window = []
                    return finding
                case .line: break
                case .text: return .invalid("text stands behind a boundary")
                }
                guard let at = find([0x0D, 0x0A, 0x0D, 0x0A]) else {
                    guard window.count <= Self.maxHead else { return .invalid("a part's head is too long") }
                    return finding
                }
                // The same whether it came in one piece or in many.
                guard at + 3 <= Self.maxHead else { return .invalid("a part's head is too long") }
                if let inside = find(delimiter), inside < at { return .invalid("a boundary stands in a part's head") }
                let name = Self.fieldName(String(decoding: window[..<at], as: UTF8.self))
                drop(at + 2)  // the second line break may begin the next delimiter
                switch name {
                case .ambiguous:
                    return .invalid("a part's Content-Disposition can be read in two ways")
                case .named("model"):
                    if hasModel { return .invalid("the field 'model' stands more than once") }
                    hasModel = true
                    state = .value
                case .named, .none:
                    state = .skipping
                }
            case .value:
                guard let at = find(delimiter) else {
                    guard window.count <= Self.maxValue + delimiter.count + 2 else {
                        return .invalid("the value of 'model' is too long")
                    }
                    return finding
                }
                let start = min(2, at)
                guard at - start <= Self.maxValue, let model = String(validating: window[start..<at], as: UTF8.self)
                else {
                    return .invalid("the value of 'model' is too long or not UTF-8")
                }
                finding = .model(model, range: (offset + start)..<(offset + at))
                drop(at + delimiter.count)
                state = .head
            case .done:
                return finding
            }
        }
    }

    private mutating func drop(_ count: Int) {
        window.removeFirst(count)
        offset += count
    }

    private func find(_ pattern: [UInt8]) -> Int? {
        guard window.count >= pattern.count else { return nil }
        return window.withUnsafeBufferPointer { window in
            var index = 0
            let last = window.count - pattern.count
            while index <= last {
                if window[index] == pattern[0], pattern.indices.allSatisfy({ window[index + $0] == pattern[$0] }) {
                    return index
                }
                index += 1
            }
            return nil
        }
    }

    /// What stands behind a delimiter, where only white space is allowed before a line break (RFC 2046 section 5.1.1).
    private enum DelimiterEnd {
        case unknown
        /// A part begins.
        case line
        /// "--": the body ends.
        case body
        /// Something that readers would disagree on.
        case text
    }

    private func delimiterEnd() -> DelimiterEnd {
        if window.count < 2 { return .unknown }
        let isLast = window.starts(with: [0x2D, 0x2D])
        let rest = window.dropFirst(isLast ? 2 : 0).drop { $0 == 0x20 || $0 == 0x09 }
        if rest.isEmpty || (rest.count == 1 && rest.first == 0x0D) {
            return window.count <= Self.maxHead ? .unknown : .text
        }
        guard rest.starts(with: [0x0D, 0x0A]) else { return .text }
        return isLast ? .body : .line
    }

    private enum FieldName: Equatable {
        case none
        case named(String)
        /// Two readers may find two names.
        case ambiguous
    }

    /// The `name` of a part's Content-Disposition.
    private static func fieldName(_ head: String) -> FieldName {
        var found = FieldName.none
        for line in head.split(separator: "\r\n") {
            if let first = line.utf8.first, first == 0x20 || first == 0x09 { return .ambiguous }
            guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")), line[..<colon].isSame("content-disposition")
            else {
                continue
            }
            let names = parameters("name", in: line[line.utf8.index(after: colon)...])
            if found != .none || names.count > 1 { return .ambiguous }
            found = names.first.map { .named($0) } ?? .none
        }
        return found
    }

    private static func boundary(of contentType: String) -> String? {
        let boundaries = parameters("boundary", in: contentType[...])
        guard boundaries.count == 1, let boundary = boundaries.first, (1...70).contains(boundary.utf8.count),
            boundary.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F })
        else { return nil }
        return boundary
    }

    /// The values of a parameter (RFC 9110 section 5.6.6), quoted or not; one that is not UTF-8 counts as empty.
    static func parameters(_ name: StaticString, in text: Substring) -> [String] {
        var values: [String] = []
        var rest = text.utf8[...]
        while let semicolon = rest.firstIndex(of: UInt8(ascii: ";")) {
            rest = rest[rest.index(after: semicolon)...]
            guard let equals = rest.firstIndex(where: { $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: ";") }),
                rest[equals] == UInt8(ascii: "=")
            else { continue }
            let found = Substring(rest[..<equals]).trimmed.isSame(name)
            rest = rest[rest.index(after: equals)...]
            var value: [UInt8] = []
            if rest.first == UInt8(ascii: "\"") {
                rest = rest.dropFirst()
                while let byte = rest.popFirst(), byte != UInt8(ascii: "\"") {
                    if byte == UInt8(ascii: "\\"), let escaped = rest.popFirst() {
                        value.append(escaped)
                    } else {
                        value.append(byte)
                    }
                }
            } else {
                while let byte = rest.first, byte != UInt8(ascii: ";") {
                    value.append(byte)
                    rest = rest.dropFirst()
                }
            }
            if found { values.append(String((String(validating: value, as: UTF8.self) ?? "").trimmed)) }
        }
        return values
    }
}
