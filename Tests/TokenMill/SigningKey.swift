internal import COpenSSL

/// An RSA key pair of the tests' own.
package final class SigningKey: @unchecked Sendable {  // never changed, and OpenSSL counts references atomically
    package enum Padding {
        case pkcs1
        case pss
    }

    package let modulus: [UInt8]
    private let handle: OpaquePointer

    /// Made once, because making one takes a good part of a second.
    package static let first = SigningKey()
    package static let second = SigningKey()
    package static let third = SigningKey()

    package init(bits: Int32 = 2048) {
        let context = EVP_PKEY_CTX_new_from_name(nil, "RSA", nil)
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        precondition(
            EVP_PKEY_keygen_init(context) == 1 && EVP_PKEY_CTX_set_rsa_keygen_bits(context, bits) == 1
                && EVP_PKEY_generate(context, &key) == 1
        )
        handle = key!
        var number: OpaquePointer?
        precondition(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &number) == 1)
        defer { BN_free(number) }
        var bytes = [UInt8](repeating: 0, count: Int(BN_num_bits(number) + 7) / 8)
        BN_bn2bin(number, &bytes)
        modulus = bytes
    }

    deinit { EVP_PKEY_free(handle) }

    package func sign(_ text: [UInt8], digest: String = "SHA256", padding: Padding = .pkcs1) -> [UInt8] {
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        let algorithm = EVP_MD_fetch(nil, digest, nil)
        defer { EVP_MD_free(algorithm) }
        var settings: OpaquePointer?
        precondition(EVP_DigestSignInit(context, &settings, algorithm, nil, handle) == 1)
        if padding == .pss {
            precondition(EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) == 1)
        }
        var length = 0
        precondition(EVP_DigestSign(context, nil, &length, text, text.count) == 1)
        var signature = [UInt8](repeating: 0, count: length)
        precondition(EVP_DigestSign(context, &signature, &length, text, text.count) == 1)
        return Array(signature[..<length])
    }

    /// The public half as a JSON Web Key in the form of Entra ID's.
    package func jwk(id: String, adding members: String = "") -> String {
        """
        {"kty":"RSA","use":"sig","kid":"\(id)","x5t":"\(id)","n":"\(modulus.base64URL)","e":"AQAB","x5c":["MIID"]\(members)}
        """
    }

    /// The public half in PKCS #1's form.
    package var der: [UInt8] {
        var bytes: UnsafeMutablePointer<UInt8>?
        let count = i2d_PublicKey(handle, &bytes)
        defer { CRYPTO_free(bytes, #file, Int32(#line)) }
        return Array(UnsafeBufferPointer(start: bytes, count: Int(count)))
    }
}

extension [UInt8] {
    package var base64URL: String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var text: [UInt8] = []
        for start in stride(from: 0, to: count, by: 3) {
            let group = self[start..<Swift.min(start + 3, count)]
            let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for index in 0...group.count { text.append(alphabet[Int(bits >> UInt32(18 - 6 * index)) & 63]) }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
