/// Who a request belongs to beyond this gateway: W3C Trace Context, level 1 (w3.org/TR/trace-context).
///
/// What a client sends is read by its exact form or not at all; nothing of it is kept but numbers and a bounded text.
struct TraceContext: Equatable, Sendable {
    /// 16 bytes, not all zero.
    var id: TraceID
    /// The span that this exchange, or this attempt, is a part of; `nil` at the root.
    var parent: UInt64?
    /// The caller records its spans, so those behind it are worth recording.
    var isSampled: Bool
    /// `tracestate` as it came: for others to read.
    var state: String?

    /// Bytes of the longest `tracestate` that is passed on (section 3.3.1.5 asks for at least that).
    static let mostState = 512

    init(id: TraceID, parent: UInt64?, isSampled: Bool, state: String? = nil) {
        self.id = id
        self.parent = parent
        self.isSampled = isSampled
        self.state = state
    }

    /// Reads a `traceparent`; `nil` for one that is malformed, which counts as none (section 4.3).
    ///
    /// A version above 00 may have more behind the flags, which is dropped; 255 and zero ids are invalid (section 3.2.2).
    init?(traceparent: String, state: String? = nil) {
        var text = traceparent
        let read: (TraceID, UInt64, Bool)? = text.withUTF8 { bytes in
            guard bytes.count >= Self.length, let version = Self.number(bytes, 0, 2), version != 0xFF,
                bytes.count == Self.length || (version > 0 && bytes[Self.length] == Self.dash),
                bytes[2] == Self.dash, bytes[35] == Self.dash, bytes[52] == Self.dash,
                let high = Self.number(bytes, 3, 16), let low = Self.number(bytes, 19, 16),
                let parent = Self.number(bytes, 36, 16), let flags = Self.number(bytes, 53, 2),
                high | low != 0, parent != 0
            else { return nil }
            return (TraceID(high: high, low: low), parent, flags & 1 == 1)
        }
        guard let read else { return nil }
        self.init(id: read.0, parent: read.1, isSampled: read.2)
        if let state, (1...Self.mostState).contains(state.utf8.count) { self.state = state }
    }

    /// What goes to the next one, for which `span` is the parent.
    func traceparent(span: UInt64) -> String { "00-\(id)-\(TraceID.text(span))-\(isSampled ? "01" : "00")" }

    private static let length = 55
    private static let dash = UInt8(ascii: "-")

    /// Lower-case hexadecimal digits only.
    private static func number(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ count: Int) -> UInt64? {
        var number: UInt64 = 0
        for byte in bytes[start..<start + count] {
            switch byte {
            case 0x30...0x39: number = number << 4 | UInt64(byte - 0x30)
            case 0x61...0x66: number = number << 4 | UInt64(byte - 0x61 + 10)
            default: return nil
            }
        }
        return number
    }
}

struct TraceID: Hashable, Sendable, CustomStringConvertible {
    var high: UInt64
    var low: UInt64

    /// 32 hexadecimal digits.
    var description: String { Self.text(high) + Self.text(low) }

    /// 16 hexadecimal digits.
    static func text(_ number: UInt64) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: 16 - text.utf8.count) + text
    }
}
