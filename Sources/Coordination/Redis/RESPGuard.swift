/// What a peer sent that no reply of ours can be. The connection that received it is not to be trusted any further.
package enum RESPViolation: Error, Equatable, Sendable, CustomStringConvertible {
    /// A line begins with none of `+ - : $ *`: not Redis, or RESP3, which nobody asked for.
    case unknownType(UInt8)
    /// A length, a count or an integer that is not one, or a bulk string without its end.
    case malformed
    case lineTooLong
    case bulkTooLong
    case tooManyElements
    case tooDeep
    case replyTooLong
    /// hiredis refused what this guard let through; its words.
    case reader(String)

    package var description: String {
        switch self {
        case .unknownType(let byte): "a reply that begins with byte \(byte)"
        case .malformed: "a malformed length or number"
        case .lineTooLong: "a line without end"
        case .bulkTooLong: "a string above the limit"
        case .tooManyElements: "an array above the limit"
        case .tooDeep: "arrays nested too deep"
        case .replyTooLong: "a reply above the limit"
        case .reader(let words): words
        }
    }
}

/// How much of a peer's word is taken. hiredis 0.14 itself accepts an array of 2^31 and a string of 2^63.
package struct RESPLimits: Sendable {
    /// Bytes of one string.
    package var bulkBytes = 1 << 20
    /// Elements of one array.
    package var elements = 4_096
    /// Arrays inside arrays; hiredis 0.14 fails above seven.
    package var depth = 4
    /// Bytes of one reply with everything in it, and so of memory that waits for its end.
    package var replyBytes = 4 << 20
    /// Bytes of a status or an error.
    package var lineBytes = 64 << 10

    package init() {}
}

/// Looks at the bytes before hiredis does, and lets nothing through that announces more than the limits allow. Pure.
///
/// It follows the structure only as far as the limits need it, byte by byte across any splits, and holds no bytes itself.
struct RESPGuard {
    private enum State {
        /// Before the first byte of a line.
        case type
        /// In a line whose content does not matter: a status or an error.
        case line
        /// In the number of an integer, a string's length or an array's count.
        case number(kind: UInt8, value: Int, negative: Bool, digits: Int)
        /// Inside a string, or in the two bytes that end it.
        case bulk(remaining: Int)
        case carriageReturnOfBulk
        case lineFeedOfBulk
        /// After the carriage return of a number's line.
        case lineFeedOfNumber(kind: UInt8, value: Int)
    }

    /// The longest number: a sign and the 19 digits of 2^63.
    private static let maximumDigits = 19

    private let limits: RESPLimits
    private var state: State = .type
    /// Elements still to come, of the innermost array last.
    private var open: [Int] = []
    private var replyBytes = 0
    private var lineBytes = 0

    init(limits: RESPLimits) {
        self.limits = limits
        open.reserveCapacity(limits.depth)
    }

    /// Reads on from where the last call ended.
    ///
    /// - Returns: how many of the bytes may be given to hiredis, and what is wrong with the byte after them.
    mutating func scan(_ bytes: UnsafeRawBufferPointer) -> (accepted: Int, violation: RESPViolation?) {
        var index = 0
        while index < bytes.count {
            if case .bulk(let remaining) = state {
                let taken = min(remaining, bytes.count - index)
                replyBytes += taken
                if replyBytes > limits.replyBytes { return (index, .replyTooLong) }
                state = taken == remaining ? .carriageReturnOfBulk : .bulk(remaining: remaining - taken)
                index += taken
                continue
            }
            replyBytes += 1
            if replyBytes > limits.replyBytes { return (index, .replyTooLong) }
            if let violation = take(bytes[index]) { return (index, violation) }
            index += 1
        }
        return (bytes.count, nil)
    }

    private mutating func take(_ byte: UInt8) -> RESPViolation? {
        switch state {
        case .type:
            return takeType(byte)
        case .line:
            lineBytes += 1
            if lineBytes > limits.lineBytes { return .lineTooLong }
            // hiredis ends a line at CR LF only; a lone LF would end it here and not there.
            if byte == UInt8(ascii: "\r") { state = .lineFeedOfNumber(kind: UInt8(ascii: "+"), value: 0) }
            return byte == UInt8(ascii: "\n") ? .malformed : nil
        case .number(let kind, let value, let negative, let digits):
            return takeDigit(byte, kind: kind, value: value, negative: negative, digits: digits)
        case .lineFeedOfNumber(let kind, let value):
            guard byte == UInt8(ascii: "\n") else { return .malformed }
            return lineEnded(kind: kind, value: value)
        case .bulk:
            return nil
        case .carriageReturnOfBulk:
            state = .lineFeedOfBulk
            return byte == UInt8(ascii: "\r") ? nil : .malformed
        case .lineFeedOfBulk:
            guard byte == UInt8(ascii: "\n") else { return .malformed }
            elementEnded()
            return nil
        }
    }

    private mutating func takeType(_ byte: UInt8) -> RESPViolation? {
        switch byte {
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            lineBytes = 0
            state = .line
            return nil
        case UInt8(ascii: ":"), UInt8(ascii: "$"), UInt8(ascii: "*"):
            state = .number(kind: byte, value: 0, negative: false, digits: 0)
            return nil
        default:
            return .unknownType(byte)
        }
    }

    private mutating func takeDigit(
        _ byte: UInt8,
        kind: UInt8,
        value: Int,
        negative: Bool,
        digits: Int
    ) -> RESPViolation? {
        switch byte {
        case UInt8(ascii: "-") where digits == 0 && !negative:
            state = .number(kind: kind, value: value, negative: true, digits: 0)
            return nil
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            // The value of an integer is hiredis's business: only lengths and counts are needed here.
            guard digits < Self.maximumDigits else { return .malformed }
            let next = kind == UInt8(ascii: ":") ? 0 : value * 10 + Int(byte &- UInt8(ascii: "0"))
            if let violation = exceeds(kind: kind, next) { return violation }
            state = .number(kind: kind, value: next, negative: negative, digits: digits + 1)
            return nil
        case UInt8(ascii: "\r") where digits > 0:
            // Of the negative lengths only -1 means something: null.
            if negative && kind != UInt8(ascii: ":") && value != 1 { return .malformed }
            state = .lineFeedOfNumber(kind: kind, value: negative ? -value : value)
            return nil
        default:
            return .malformed
        }
    }

    private func exceeds(kind: UInt8, _ value: Int) -> RESPViolation? {
        switch kind {
        case UInt8(ascii: "$"): value > limits.bulkBytes ? .bulkTooLong : nil
        case UInt8(ascii: "*"): value > limits.elements ? .tooManyElements : nil
        default: nil
        }
    }

    private mutating func lineEnded(kind: UInt8, value: Int) -> RESPViolation? {
        switch kind {
        case UInt8(ascii: "$") where value > 0:
            state = .bulk(remaining: value)
        case UInt8(ascii: "$") where value == 0:
            state = .carriageReturnOfBulk
        case UInt8(ascii: "*") where value > 0:
            guard open.count < limits.depth else { return .tooDeep }
            open.append(value)
            state = .type
        default:
            elementEnded()
        }
        return nil
    }

    private mutating func elementEnded() {
        state = .type
        while let last = open.indices.last {
            open[last] -= 1
            if open[last] > 0 { return }
            open.removeLast()
        }
        replyBytes = 0
    }
}
