import Testing
import TokenMill

@testable import Gateway

@Suite("What tokens are made of")
struct TokenPartsTests {
    @Test("A GUID is read in either case and written in lower case")
    func guid() throws {
        let text = "0123abCD-4567-89ef-0000-fEdCbA987654"
        let guid = try #require(GUID(text))
        #expect(guid.description == text.lowercased())
        #expect(GUID(text.uppercased()) == guid)
        #expect(guid.isSame(as: guid))
        for bit in ["1123", "0124"] { #expect(!guid.isSame(as: GUID(text.replacing("0123", with: bit))!)) }
        #expect(!guid.isSame(as: GUID(text.replacing("7654", with: "7655"))!))
    }

    @Test(
        "A GUID has 36 characters, and these only",
        arguments: [
            "", "0123abcd", "0123abcd-4567-89ef-0000-fedcba98765", "0123abcd-4567-89ef-0000-fedcba9876543",
            "0123abcdf4567-89ef-0000-fedcba987654", "{0123abcd-4567-89ef-0000-fedcba987654}",
            "0123abcd456789ef0000fedcba987654",
            "g123abcd-4567-89ef-0000-fedcba987654", "0123abcd-4567-89ef-0000-fedcba98765 ",
            "0123abcd-4567-89ef-0000--edcba987654",
        ]
    )
    func noGUID(text: String) { #expect(GUID(text) == nil) }

    @Test("base64url has one text for some bytes, and one only")
    func base64URL() {
        for count in 0..<300 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37 + count) }
            #expect(Base64URL.decoded(bytes.base64URL) == bytes)
        }
        #expect(Base64URL.decoded("AA") == [0])
        for text in ["A", "AB", "AAB", "AA==", "AA=", "A A", "AA\n", "A+", "A/", "\u{E9}A", "AAAAA"] {
            #expect(Base64URL.decoded(text) == nil, "\(text)")
        }
        var texts = 0
        let alphabet = (0..<256).map { String(UnicodeScalar($0)!) }
        for first in alphabet { for second in alphabet where Base64URL.decoded(first + second) != nil { texts += 1 } }
        #expect(texts == 256, "one for each byte")
    }

    @Test("A table never holds more than it was made for")
    func table() {
        var table = BoundedTable<Int, Int>(capacity: 20)
        #expect(table.capacity == 32)
        for number in 0..<10_000 { table.set(number, hash: number, to: number) { Int64($0) } }
        #expect(table.count == 32)
        #expect(table.withValue(of: 9999, hash: 9999) { ($0, keep: true) } == 9999, "the last is there")
        #expect(table.withValue(of: 9998, hash: 9998) { ($0, keep: false) } == 9998)
        #expect(table.withValue(of: 9998, hash: 9998) { ($0, keep: true) } == nil)
        #expect(table.count == 31)
        table.set(9999, hash: 9999, to: 1) { Int64($0) }
        #expect(table.withValue(of: 9999, hash: 9999) { ($0, keep: true) } == 1)
        #expect(table.count == 31)
    }

    @Test("Who waits is told once, in the order of coming, unless they leave before")
    func waiting() throws {
        var told: [Int] = []
        var list = WaitingList<Int>()
        var tickets: [WaitingList<Int>.Ticket] = []
        for number in 0..<WaitingList<Int>.maxCount {
            tickets.append(try #require(list.add { told.append(number + $0) }))
        }
        #expect(list.add { _ in } == nil)
        let removed = list.remove(tickets[3])
        #expect(removed != nil)
        let again = list.remove(tickets[3])
        #expect(again == nil)
        for tell in list.removeAll() { tell(1000) }
        #expect(told == (0..<WaitingList<Int>.maxCount).filter { $0 != 3 }.map { $0 + 1000 })
        #expect(list.count == 0)
        #expect(list.removeAll().isEmpty)
    }
}
