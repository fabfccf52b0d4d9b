internal import Glibc

/// Where a request comes from, as far as one caller can be told from another: an IPv4 address, or the /64 of an IPv6 address,
/// within which a caller takes any address it likes (RFC 4291 section 2.5.4).
package struct CallerAddress: Hashable, Sendable {
    private let high: UInt64
    private let low: UInt64

    /// From the text of an address, without a port.
    package init?(_ text: some StringProtocol) {
        guard text.utf8.count < 64, !text.utf8.contains(0) else { return nil }
        let text = String(text)
        // The bytes of the address as the network has them (inet_pton(3)).
        var four: UInt32 = 0
        if inet_pton(AF_INET, text, &four) == 1 {
            self.init(ipv4: UInt32(bigEndian: four))
            return
        }
        var six = SIMD2<UInt64>()
        guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        self.init(ipv6: withUnsafeBytes(of: six) { Array($0) })
    }

    package init(ipv4 address: UInt32) {
        high = 0
        low = 0xFFFF << 32 | UInt64(address)
    }

    /// - Parameter bytes: 16 of them.
    init(ipv6 bytes: [UInt8]) {
        let halves = (bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) }, bytes[8...].reduce(0) { $0 << 8 | UInt64($1) })
        let isMapped = halves.0 == 0 && halves.1 >> 32 == 0xFFFF
        high = halves.0
        low = isMapped ? halves.1 : 0
    }

    /// The most bytes that `write` stores: four groups of an IPv6 address and `:/64`.
    static let maxTextBytes = 24

    /// Appends its text: an IPv4 address, or the first half of an IPv6 address with its length.
    func write(to buffer: inout some ByteStore & ~Copyable) {
        if high == 0, low >> 32 == 0xFFFF {
            for shift in stride(from: UInt64(24), through: 0, by: -8) {
                Self.write(UInt32(truncatingIfNeeded: low >> shift & 0xFF), radix: 10, to: &buffer)
                if shift > 0 { buffer.store(UInt8(ascii: ".")) }
            }
        } else {
            for shift in stride(from: UInt64(48), through: 0, by: -16) {
                Self.write(UInt32(truncatingIfNeeded: high >> shift & 0xFFFF), radix: 16, to: &buffer)
                buffer.store(UInt8(ascii: ":"))
            }
            for byte in ":/64".utf8 { buffer.store(byte) }
        }
    }

    private static func write(_ number: UInt32, radix: UInt32, to buffer: inout some ByteStore & ~Copyable) {
        if number >= radix { write(number / radix, radix: radix, to: &buffer) }
        let digit = UInt8(number % radix)
        buffer.store(digit < 10 ? 0x30 + digit : 0x57 + digit)
    }
}
