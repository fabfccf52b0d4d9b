internal import COpenSSL

/// A public RSA key of a tenant, made ready once: decoding a key costs OpenSSL 3 many times what a signature costs.
final class VerificationKey: @unchecked Sendable {  // OpenSSL counts references atomically, and nobody changes the key
    /// Why a key is not taken.
    enum Problem: Error, Equatable {
        case size
        case exponent
        /// Even, divisible by a small prime, or made by the library of CVE-2017-15361 (ROCA), whose keys can be factored.
        case weak
        case refusedByOpenSSL
    }

    let id: String
    /// Big-endian, without leading zeros.
    let modulus: [UInt8]
    fileprivate let handle: OpaquePointer

    static let modulusBits = 2048...8192
    /// 65537, which Entra ID's keys have; small exponents only ever helped attackers.
    private static let exponent: [UInt8] = [1, 0, 1]

    /// - Parameters:
    ///   - modulus: big-endian; leading zeros are taken off.
    ///   - exponent: the same.
    init(id: String, modulus: [UInt8], exponent: [UInt8]) throws(Problem) {
        let modulus = Array(modulus.drop { $0 == 0 })
        let bits = modulus.count * 8 - (modulus.first?.leadingZeroBitCount ?? 0)
        guard Self.modulusBits.contains(bits) else { throw .size }
        guard exponent.drop(while: { $0 == 0 }).elementsEqual(Self.exponent) else { throw .exponent }
        guard !WeakModulus.isWeak(modulus) else { throw .weak }
        guard let handle = copenssl_rsa_public_key(modulus, modulus.count, Self.exponent, Self.exponent.count) else {
            throw .refusedByOpenSSL
        }
        self.id = id
        self.modulus = modulus
        self.handle = handle
    }

    deinit { EVP_PKEY_free(handle) }

    /// Bytes of its signatures.
    var signatureLength: Int { modulus.count }
}

/// Checks RS256 signatures, one after the other, with a context that is kept. One for each event loop.
final class SignatureVerifier {
    private let context: OpaquePointer
    private let algorithm: OpaquePointer

    init() {
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

    /// Whether it is the key's signature of the text. OpenSSL compares the whole encoded digest, so no variant of the padding
    /// passes.
    func isValid(_ signature: [UInt8], of text: UnsafeRawBufferPointer, by key: VerificationKey) -> Bool {
        copenssl_verify(
            context,
            algorithm,
            key.handle,
            signature,
            signature.count,
            text.baseAddress,
            text.count
        ) == 1
    }
}
