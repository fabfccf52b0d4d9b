internal import COpenSSL

/// SHA-256 of an API key or a token: the gateway keeps no credentials of a client, only this.
package struct KeyDigest: Sendable, Equatable {
    static let length = 32

    private let words: SIMD4<UInt64>

    /// `nil` unless there are 32 bytes.
    init?(bytes: [UInt8]) {
        guard bytes.count == Self.length else { return nil }
        self.init { destination in destination.copyBytes(from: bytes) }
    }

    fileprivate init(_ fill: (UnsafeMutableRawBufferPointer) -> Void) {
        var words = SIMD4<UInt64>()
        withUnsafeMutableBytes(of: &words) { fill($0) }
        self.words = words
    }

    var bytes: [UInt8] { withUnsafeBytes(of: words) { Array($0) } }

    /// The first eight bytes, to find candidates by. They say nothing of the key, so looking them up may take any time.
    var prefix: UInt64 { UInt64(bigEndian: words[0]) }

    /// Compares all bytes in a time that does not depend on them.
    func isSame(as other: Self) -> Bool {
        let difference = words ^ other.words
        return difference[0] | difference[1] | difference[2] | difference[3] == 0
    }
}

/// Digests keys, one after the other. OpenSSL 3 looks the algorithm up and makes a context at every `SHA256()`; both are kept
/// here.
package final class KeyHasher {
    private let context: OpaquePointer
    private let algorithm: OpaquePointer

    package init() {
        guard let context = EVP_MD_CTX_new(), let algorithm = EVP_MD_fetch(nil, "SHA256", nil) else {
            fatalError("OpenSSL has no SHA-256, or no memory for it")
        }
        self.context = context
        self.algorithm = algorithm
    }

    deinit {
        EVP_MD_CTX_free(context)
        EVP_MD_free(algorithm)
    }

    /// The digest of a key's UTF-8 bytes.
    package func digest(of key: String) -> KeyDigest { key.withBytes { digest(of: UnsafeRawBufferPointer($0)) } }

    /// The same of a part of a field.
    package func digest(of key: Substring) -> KeyDigest { key.withBytes { digest(of: UnsafeRawBufferPointer($0)) } }

    package func digest(of bytes: UnsafeRawBufferPointer) -> KeyDigest {
        KeyDigest { digest in
            let isDone =
                EVP_DigestInit_ex2(context, algorithm, nil) == 1
                && EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1
                && EVP_DigestFinal_ex(context, digest.baseAddress, nil) == 1
            precondition(isDone, "OpenSSL failed to digest")
        }
    }
}
