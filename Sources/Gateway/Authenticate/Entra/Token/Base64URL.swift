/// Base64url as JSON Web Signatures use it (RFC 7515 section 2), with no second spelling of the same bytes.
///
/// Padding, white space, the alphabet of plain base64 and bits behind the last byte are refused: two texts that decode to one
/// token would have two entries in a cache, and two opinions in two libraries.
enum Base64URL {
    /// Replaces the contents of `bytes`; `false` when the text is not exactly base64url.
    static func decode(_ text: UnsafeRawBufferPointer, into bytes: inout [UInt8]) -> Bool {
        bytes.removeAll(keepingCapacity: true)
        guard text.count % 4 != 1 else { return false }
        bytes.reserveCapacity(text.count / 4 * 3 + 2)
        var bits: UInt32 = 0
        var count = 0
        return values.withUnsafeBufferPointer { values in
            for byte in text {
                let value = values[Int(byte)]
                guard value < 64 else { return false }
                bits = bits << 6 | UInt32(value)
                count += 1
                guard count == 4 else { continue }
                bytes.append(UInt8(truncatingIfNeeded: bits >> 16))
                bytes.append(UInt8(truncatingIfNeeded: bits >> 8))
                bytes.append(UInt8(truncatingIfNeeded: bits))
                (bits, count) = (0, 0)
            }
            switch count {
            case 2:
                guard bits & 0xF == 0 else { return false }
                bytes.append(UInt8(truncatingIfNeeded: bits >> 4))
            case 3:
                guard bits & 0x3 == 0 else { return false }
                bytes.append(UInt8(truncatingIfNeeded: bits >> 10))
                bytes.append(UInt8(truncatingIfNeeded: bits >> 2))
            default:
                break
            }
            return true
        }
    }

    static func decoded(_ text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        var text = String(text)
        return text.withUTF8 { decode(UnsafeRawBufferPointer($0), into: &bytes) } ? bytes : nil
    }

    /// 64 for what is not of the alphabet.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 64, count: 256)
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        for (value, character) in alphabet.utf8.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()
}
