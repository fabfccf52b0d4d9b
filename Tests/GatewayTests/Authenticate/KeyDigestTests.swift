import Testing

@testable import Gateway

@Suite("The digest of a key")
struct KeyDigestTests {
    private func hex(_ digest: KeyDigest) -> String {
        digest.bytes.map { String($0 >> 4, radix: 16) + String($0 & 0xF, radix: 16) }.joined()
    }

    @Test(
        "is SHA-256 (FIPS 180-4)",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ]
    )
    func vectors(key: String, digest: String) {
        #expect(hex(KeyHasher().digest(of: key)) == digest)
        #expect(hex(KeyHasher().digest(of: "x\(key)".dropFirst())) == digest)
    }

    @Test("is 32 bytes, and made of no other number")
    func length() {
        #expect(KeyHasher().digest(of: String(repeating: "k", count: 100_000)).bytes.count == KeyDigest.length)
        #expect(KeyDigest(bytes: [UInt8](repeating: 1, count: 32)) != nil)
        for count in [0, 31, 33, 64] { #expect(KeyDigest(bytes: [UInt8](repeating: 1, count: count)) == nil) }
    }

    @Test("differs when any one of its bits does")
    func isSame() throws {
        let digest = KeyHasher().digest(of: "key")
        #expect(digest.isSame(as: KeyHasher().digest(of: "key")))
        for bit in 0..<256 {
            var bytes = digest.bytes
            bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(try !digest.isSame(as: #require(KeyDigest(bytes: bytes))))
        }
    }

    @Test("has its first eight bytes for a prefix")
    func prefix() {
        #expect(KeyHasher().digest(of: "abc").prefix == 0xBA78_16BF_8F01_CFEA)
    }
}
