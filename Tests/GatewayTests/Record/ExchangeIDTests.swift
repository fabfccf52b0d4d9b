import Testing

@testable import Gateway

@Suite("An exchange's id")
struct ExchangeIDTests {
    @Test("is 16 hexadecimal digits, different for each count and each process")
    func description() {
        var seen: Set<String> = []
        for process in [UInt64.min, 1, 0x1234_5678_9ABC_DEF0, .max] {
            for count in 0..<1_000 as Range<UInt64> {
                let text = ExchangeID(process: process, count: count).description
                #expect(text.utf8.count == 16)
                #expect(UInt64(text, radix: 16) != nil)
                seen.insert(text)
            }
        }
        #expect(seen.count == 4_000)
        #expect(ExchangeID(process: 0, count: 0).description == "0000000000000000")
    }
}
