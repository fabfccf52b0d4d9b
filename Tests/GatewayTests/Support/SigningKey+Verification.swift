import TokenMill

@testable import Gateway

extension SigningKey {
    /// The public half as the gateway has it.
    func verification(id: String) throws -> VerificationKey {
        try VerificationKey(id: id, modulus: modulus, exponent: [1, 0, 1])
    }
}

enum HMAC {
    /// HMAC-SHA256 (RFC 2104).
    static func sha256(key: [UInt8], text: [UInt8]) -> [UInt8] {
        let hasher = KeyHasher()
        func digest(_ bytes: [UInt8]) -> [UInt8] { bytes.withUnsafeBytes { hasher.digest(of: $0).bytes } }
        let key = key.count > 64 ? digest(key) : key
        let block = key + [UInt8](repeating: 0, count: 64 - key.count)
        return digest(block.map { $0 ^ 0x5C } + digest(block.map { $0 ^ 0x36 } + text))
    }
}
