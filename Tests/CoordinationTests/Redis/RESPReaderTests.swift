import NIOCore
import TestSupport
import Testing

@testable import Coordination

@Suite struct RESPReaderTests {
    private static let conversation =
        "+OK\r\n:-42\r\n$5\r\nhello\r\n$0\r\n\r\n$-1\r\n-ERR no\r\n*-1\r\n*0\r\n"
        + "*3\r\n:1\r\n*2\r\n$1\r\na\r\n:9223372036854775807\r\n+done\r\n:0\r\n"

    private static let replies: [RESPReply] = [
        .status(Array("OK".utf8)), .integer(-42), .string(Array("hello".utf8)), .string([]), .null,
        .error(Array("ERR no".utf8)), .null, .array([]),
        .array([
            .integer(1), .array([.string(Array("a".utf8)), .integer(.max)]), .status(Array("done".utf8)),
        ]),
        .integer(0),
    ]

    private static func read(_ chunks: [ArraySlice<UInt8>]) throws -> [RESPReply] {
        let reader = RESPReader()
        var replies: [RESPReply] = []
        for chunk in chunks {
            reader.feed(ByteBuffer(bytes: chunk))
            while let reply = try reader.next() { replies.append(reply) }
        }
        return replies
    }

    @Test func readsEveryKindOfReply() throws {
        #expect(try Self.read([Array(Self.conversation.utf8)[...]]) == Self.replies)
    }

    @Test func readsTheSameSplitAtEveryByte() throws {
        let bytes = Array(Self.conversation.utf8)
        for split in 1..<bytes.count {
            #expect(try Self.read([bytes[..<split], bytes[split...]]) == Self.replies, "split at \(split)")
        }
        #expect(try Self.read(bytes.indices.map { bytes[$0...$0] }) == Self.replies)
    }

    @Test(arguments: [
        ("*2147483647\r\n", RESPViolation.tooManyElements),
        ("*4097\r\n", .tooManyElements),
        ("$9223372036854775807\r\n", .bulkTooLong),
        ("$1048577\r\n", .bulkTooLong),
        ("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", .tooDeep),
        ("$-2\r\n", .malformed),
        ("*-2\r\n", .malformed),
        ("$1\r\nab", .malformed),
        ("$1\r\na\rb", .malformed),
        (":\r\n", .malformed),
        (":1a\r\n", .malformed),
        (":1\rb", .malformed),
        ("+a\n", .malformed),
        (":12345678901234567890\r\n", .malformed),
        ("HTTP/1.1 400 Bad Request\r\n", .unknownType(UInt8(ascii: "H"))),
        ("%1\r\n", .unknownType(UInt8(ascii: "%"))),
        (">2\r\n", .unknownType(UInt8(ascii: ">"))),
        ("_\r\n", .unknownType(UInt8(ascii: "_"))),
        (":0123\r\n", .reader("Bad integer value")),
    ])
    func refuses(bytes: String, violation: RESPViolation) throws {
        for reader in [RESPReader(), RESPReader()] {
            reader.feed(ByteBuffer(string: ":7\r\n" + bytes))
            #expect(try reader.next() == .integer(7), "what came before it is whole")
            #expect(throws: violation) { try reader.next() }
            reader.feed(ByteBuffer(string: ":1\r\n"))
            #expect(throws: violation) { try reader.next() }
        }
    }

    @Test func limitsTheBytesOfOneReply() throws {
        var limits = RESPLimits()
        limits.replyBytes = 100
        limits.lineBytes = 50
        let reader = RESPReader(limits: limits)
        // Many short replies are no long one.
        for _ in 0..<100 { reader.feed(ByteBuffer(string: ":1234\r\n")) }
        for _ in 0..<100 { #expect(try reader.next() == .integer(1234)) }
        reader.feed(ByteBuffer(string: "*3\r\n$90\r\n" + String(repeating: "x", count: 90)))
        #expect(try reader.next() == nil)
        reader.feed(ByteBuffer(string: "\r\n"))
        #expect(throws: RESPViolation.replyTooLong) { try reader.next() }

        let lines = RESPReader(limits: limits)
        lines.feed(ByteBuffer(string: "+" + String(repeating: "x", count: 51)))
        #expect(throws: RESPViolation.lineTooLong) { try lines.next() }
    }

    @Test func survivesRandomBytes() throws {
        var generator = SplitMix(seed: 20_261_123)
        let alphabet = Array("+-:$*0123456789\r\n\r\n\r\nOK%_(".utf8)
        var limits = RESPLimits()
        limits.replyBytes = 4_096
        for _ in 0..<20_000 {
            let reader = RESPReader(limits: limits)
            var refused = false
            for _ in 0..<Int.random(in: 1...6, using: &generator) where !refused {
                let isPlausible = Bool.random(using: &generator)
                let count = Int.random(in: 1...64, using: &generator)
                let bytes = (0..<count).map { _ in
                    isPlausible
                        ? alphabet[Int.random(in: alphabet.indices, using: &generator)]
                        : UInt8.random(in: .min ... .max, using: &generator)
                }
                reader.feed(ByteBuffer(bytes: bytes))
                do {
                    while try reader.next() != nil {}
                } catch {
                    refused = true
                }
                #expect(reader.unreadBytes <= limits.replyBytes)
            }
        }
    }

    @Test func readsRandomRepliesBackAsTheyWereWritten() throws {
        var generator = SplitMix(seed: 7)
        for _ in 0..<2_000 {
            let replies = (0..<5).map { _ in Self.randomReply(depth: 0, &generator) }
            let bytes = replies.flatMap(Self.encode)
            var chunks: [ArraySlice<UInt8>] = []
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Int.random(in: 1...rest.count, using: &generator)
                chunks.append(rest.prefix(count))
                rest = rest.dropFirst(count)
            }
            #expect(try Self.read(chunks) == replies)
        }
    }

    private static func randomReply(depth: Int, _ generator: inout SplitMix) -> RESPReply {
        switch Int.random(in: 0..<(depth < 4 ? 6 : 5), using: &generator) {
        case 0: .integer(Int64.random(in: .min ... .max, using: &generator))
        case 1:
            .string(
                (0..<Int.random(in: 0..<40, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator)
                }
            )
        case 2: .status(Array("OK".utf8))
        case 3: .error(Array("ERR \(Int.random(in: 0..<9, using: &generator))".utf8))
        case 4: .null
        default:
            .array(
                (0..<Int.random(in: 0..<5, using: &generator)).map { _ in randomReply(depth: depth + 1, &generator) }
            )
        }
    }

    private static func encode(_ reply: RESPReply) -> [UInt8] {
        switch reply {
        case .integer(let value): Array(":\(value)\r\n".utf8)
        case .string(let bytes): Array("$\(bytes.count)\r\n".utf8) + bytes + [13, 10]
        case .status(let bytes): [43] + bytes + [13, 10]
        case .error(let bytes): [45] + bytes + [13, 10]
        case .null: Array("$-1\r\n".utf8)
        case .array(let elements): Array("*\(elements.count)\r\n".utf8) + elements.flatMap(encode)
        }
    }
}
