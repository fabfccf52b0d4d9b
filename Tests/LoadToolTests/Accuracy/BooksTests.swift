import FoundationEssentials
import NIOCore
import Testing

@testable import LoadTool

@Suite("The books")
struct BooksTests {
    @Test("of Redis are read however the reply is cut")
    func cuts() throws {
        let text = "*2\r\n$1\r\n0\r\n*3\r\n$3\r\na:b\r\n:12\r\n$-1\r\n+OK\r\n-ERR no\r\n"
        try forEachCut(text) { pieces in
            var buffer = ByteBuffer()
            var values: [RESPValue] = []
            for piece in pieces {
                buffer.writeImmutableBuffer(piece)
                while let value = try RESPValue.read(&buffer) { values.append(value) }
            }
            #expect(
                values == [
                    .array([.bulk("0"), .array([.bulk("a:b"), .integer(12), .null])]), .simple("OK"), .error("ERR no"),
                ]
            )
        }
    }

    @Test(
        "of Redis are refused when they are absurd",
        arguments: [
            "?\r\n", "$x\r\n", "$-2\r\n", "*9999999999\r\n", "$99999999999\r\n", ":x\r\n", "\n",
            String(repeating: "*1\r\n", count: 20), String(repeating: "x", count: 70_000),
        ]
    )
    func absurd(text: String) {
        var buffer = ByteBuffer(string: text)
        #expect(throws: RESPValue.Malformed.self) { try RESPValue.read(&buffer) }
    }

    @Test("of Redis add up a client's deployments")
    func usage() {
        let entry = RedisUsage.entry([
            "gpt-4o:req", "3", "gpt-4o:in", "40", "gpt-4o:out", "5", "ptu:req", "2", "ptu:429", "1",
        ])
        #expect(entry.served == 5)
        #expect(entry.refused == 1)
        #expect(entry.usage == TokenUsage(prompt: 40, completion: 5))
    }

    @Test("of mock-azure are read")
    func mock() throws {
        let text = """
            {"requests":{"total":5,"open":0,"aborted":1,"by_kind":{"chat":5},"by_status":{"200":3,"201":1,"429":1},
            "rows":[]},"tokens":{"prompt":7,"completion":8,"total":15,"cached":0,"reasoning":0,"by_deployment":{}},
            "events_sent":12,"bytes_sent":5,"connections":{"open":1,"accepted":1}}
            """
        let entry = try JSONDecoder().decode(MockStats.self, from: Data(text.utf8)).entry
        #expect(
            entry
                == BookEntry(
                    served: 4,
                    refused: 1,
                    usage: TokenUsage(prompt: 7, completion: 8),
                    events: 12,
                    aborted: 1
                )
        )
    }

    @Test("are compared by what was added during the load")
    func difference() {
        var seen = Tally()
        seen.record(
            Outcome(
                client: 0,
                kind: 0,
                model: 0,
                target: 0,
                intended: 0,
                sent: 0,
                ended: 5,
                status: 200,
                verdict: .succeeded,
                usage: TokenUsage(prompt: 10, completion: 2)
            )
        )
        let before = ["redis": BookEntry(served: 7, usage: TokenUsage(prompt: 100, completion: 50))]
        let after = ["redis": BookEntry(served: 8, usage: TokenUsage(prompt: 110, completion: 53))]
        let lines = BookComparison.lines(seen: seen, before: before, after: after)
        #expect(lines.map(\.difference) == [0, 0, 1])
    }
}
