internal import COpenSSL

/// SHA-256 of an API key: the gateway keeps no key of a client, only this.
struct KeyDigest: Sendable {
    static let length = 32

    /// Exactly `length` bytes.
    let bytes: [UInt8]

    /// `nil` unless there are 32 bytes.
    init?(bytes: [UInt8]) {
        guard bytes.count == Self.length else { return nil }
        self.bytes = bytes
    }

    /// The digest of a key's UTF-8 bytes.
    init(of key: some StringProtocol) {
        var key = String(key)
        bytes = [UInt8](unsafeUninitializedCapacity: Self.length) { digest, count in
            key.withUTF8 { _ = SHA256($0.baseAddress, $0.count, digest.baseAddress) }
            count = Self.length
        }
    }

    /// The first eight bytes, to find candidates by. They say nothing of the key, so looking them up may take any time.
    var prefix: UInt64 { bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } }

    /// Compares all bytes in a time that does not depend on them.
    func isSame(as other: Self) -> Bool { CRYPTO_memcmp(bytes, other.bytes, Self.length) == 0 }
}
