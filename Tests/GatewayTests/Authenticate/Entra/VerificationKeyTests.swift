import Testing
import TokenMill

@testable import Gateway

@Suite("A key of a tenant")
struct VerificationKeyTests {
    private func problem(_ modulus: [UInt8], exponent: [UInt8] = [1, 0, 1]) -> VerificationKey.Problem? {
        do throws(VerificationKey.Problem) {
            _ = try VerificationKey(id: "k", modulus: modulus, exponent: exponent)
            return nil
        } catch {
            return error
        }
    }

    @Test("is taken with its modulus as it is, whatever zeros stand before it")
    func good() throws {
        let key = try VerificationKey(id: "k", modulus: [0, 0] + SigningKey.first.modulus, exponent: [0, 1, 0, 1])
        #expect(key.modulus == SigningKey.first.modulus)
        #expect(key.signatureLength == 256)
    }

    @Test("is refused below 2048 and above 8192 bits", arguments: [0, 1, 64, 128, 255, 1025])
    func size(bytes: Int) { #expect(problem([UInt8](repeating: 0xFF, count: bytes)) == .size) }

    @Test("is refused one bit below")
    func bits() { #expect(problem([0x7F] + [UInt8](repeating: 0xFF, count: 255)) == .size) }

    @Test(
        "is refused with any exponent but 65537",
        arguments: [[], [0], [1], [2], [3], [17], [1, 0, 0], [1, 0, 2], [1, 0, 0, 1]]
    )
    func exponent(bytes: [UInt8]) { #expect(problem(SigningKey.first.modulus, exponent: bytes) == .exponent) }

    @Test("is refused when it is even, or divisible by a small prime")
    func smallFactors() {
        var even = SigningKey.first.modulus
        even[255] &= 0xFE
        #expect(problem(even) == .weak)
        // 2^2048 - 1 is divisible by 3, 5 and 17.
        #expect(problem([UInt8](repeating: 0xFF, count: 256)) == .weak)
        #expect(!WeakModulus.isWeak(SigningKey.first.modulus))
        #expect(!WeakModulus.isWeak(SigningKey.second.modulus))
    }

    @Test("is refused when it was made as CVE-2017-15361 makes keys")
    func roca() {
        // A power of 65537 is what such a modulus looks like to every small prime.
        var power: [UInt8] = [1]
        while power.count < 257 { power = Self.times65537(power) }
        #expect(WeakModulus.isWeak(power))
    }

    /// Big-endian, without a bound.
    private static func times65537(_ number: [UInt8]) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: number.count + 2)
        var carry = 0
        for index in 0..<result.count {
            let low = index < number.count ? Int(number[number.count - 1 - index]) : 0
            let high = index >= 2 && index - 2 < number.count ? Int(number[number.count - 1 - (index - 2)]) : 0
            let sum = low + high + carry
            result[result.count - 1 - index] = UInt8(sum & 0xFF)
            carry = sum >> 8
        }
        if carry > 0 { result.insert(UInt8(carry), at: 0) }
        return Array(result.drop { $0 == 0 })
    }

    @Test("checks its own signatures only, again and again")
    func verify() throws {
        let verifier = SignatureVerifier()
        let text = Array("header.payload".utf8)
        let first = try SigningKey.first.verification(id: "1")
        let second = try SigningKey.second.verification(id: "2")
        let signature = SigningKey.first.sign(text)
        for _ in 0..<3 {
            text.withUnsafeBytes {
                #expect(verifier.isValid(signature, of: $0, by: first))
                #expect(!verifier.isValid(signature, of: $0, by: second))
                #expect(!verifier.isValid([], of: $0, by: first))
                #expect(!verifier.isValid(Array(signature.dropLast()), of: $0, by: first))
            }
        }
    }
}
