import Testing

@testable import Gateway

@Suite("Names of protocols")
struct ASCIIComparisonTests {
    @Test(
        "are the same but for the case of ASCII letters",
        arguments: [
            "", "te", "host", "x-ms-id", "location", "user-agent", "content-encoding", "x-ratelimit-remaining-z",
        ]
            as [StaticString]
    )
    func same(lower: StaticString) {
        let name = "\(lower)"
        #expect(name.isSame(lower))
        #expect(name.uppercased().isSame(lower))
        #expect(!(name + "x").isSame(lower))
        for index in 0..<name.utf8.count {
            var bytes = Array(name.utf8)
            let own = bytes[index]
            let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(own)
            for byte in 0..<0x80 as Range<UInt8> {
                bytes[index] = byte
                let text = String(decoding: bytes, as: UTF8.self)
                #expect(text.isSame(lower) == (byte == own || (isLetter && byte == own ^ 0x20)), "\(byte) at \(index)")
                #expect(text[...].isSame(lower) == text.isSame(lower))
            }
            // Two bytes whose low seven bits are letters.
            guard index + 2 <= name.utf8.count else { continue }
            bytes.replaceSubrange(index..<(index + 2), with: [0xC3, 0xA1])
            #expect(!String(decoding: bytes, as: UTF8.self).isSame(lower))
        }
    }
}
