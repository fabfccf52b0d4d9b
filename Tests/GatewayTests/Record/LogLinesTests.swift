import Foundation
import Testing

@testable import Gateway

@Suite("A line of the log")
struct LogLinesTests {
    static let hostile = [
        "", "plain", "with \"quotes\"", "back\\slash", "a\nb", "a\r\nb", "a\rb", "tab\t", "\u{0}", "\u{1}\u{1F}\u{7F}",
        "\u{2028}\u{2029}",
        "\u{85}", "höhe 日本 😀", "\u{301}", "\"\u{301}", "\\\u{301}", "\n\u{301}", "\u{1B}[31mred", "{\"a\":1}",
        "\",\"status\":200,\"x\":\"",
        " status=200 ", "</script>", "\u{202E}evil", "a\u{FEFF}b", "%0a", "\u{10FFFF}",
    ]

    private func line(_ format: GatewayConfiguration.Log.Format, _ body: (inout LogLines) -> Void) -> String {
        var lines = LogLines(format: format, capacity: 1)
        lines.begin()
        body(&lines)
        lines.end()
        return String(decoding: lines.take(), as: UTF8.self)
    }

    private func object(_ line: String) throws -> [String: Any] {
        #expect(line.utf8.last == UInt8(ascii: "\n"))
        #expect(!line.utf8.dropLast().contains { $0 < 0x20 || $0 == 0x7F }, "one line, and nothing a terminal obeys")
        return try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }

    @Test("in JSON says what a peer chose, and nothing that the peer wants it to say", arguments: hostile)
    func json(text: String) throws {
        let object = try object(
            line(.json) {
                $0.add("status", 401)
                $0.add("path", text: text)
                $0.add(name: "name \(text)", text: text)
                $0.add("id", raw: "0123")
            }
        )
        #expect(object["status"] as? Int == 401)
        #expect((object["path"] as? String)?.utf8.elementsEqual(text.utf8) == true)
        #expect((object["name \(text)"] as? String)?.utf8.elementsEqual(text.utf8) == true)
        #expect(object["id"] as? String == "0123")
        #expect(object.count == 4)
    }

    @Test("in text is one line whose quoted parts are JSON strings", arguments: hostile)
    func text(text: String) throws {
        let line = line(.text) {
            $0.add("status", 401)
            $0.add("path", text: text)
            $0.add("stream", true)
        }
        #expect(line.utf8.starts(with: "status=401 path=\"".utf8))
        #expect(line.hasSuffix("\" stream=true\n"))
        #expect(!line.utf8.dropLast().contains { $0 < 0x20 || $0 == 0x7F })
        let quoted = line.dropFirst("status=401 path=".count).dropLast(" stream=true\n".count)
        let value = try JSONSerialization.jsonObject(with: Data(quoted.utf8), options: .fragmentsAllowed) as? String
        #expect(value?.utf8.elementsEqual(text.utf8) == true)
    }

    @Test("has numbers and truths bare, words quoted in JSON and bare in text")
    func form() {
        func fill(_ line: inout LogLines) {
            line.add("zero", 0)
            line.add("least", .min)
            line.add("most", .max)
            line.add("stream", false)
            line.add("client", raw: "team-a")
            line.add("path", text: "/a b")
            line.add(name: "key", text: "v")
        }
        #expect(
            line(.json, fill)
                == #"{"zero":0,"least":-9223372036854775808,"most":9223372036854775807,"stream":false,"#
                + #""client":"team-a","path":"/a b","key":"v"}"# + "\n"
        )
        #expect(
            line(.text, fill)
                == #"zero=0 least=-9223372036854775808 most=9223372036854775807 stream=false client=team-a path="/a b" key="v""#
                + "\n"
        )
    }

    @Test("cuts what a peer chose at 512 bytes, inside a character too", arguments: ["x", "é", "日", "😀", "\n"])
    func cut(unit: String) throws {
        let long = String(repeating: unit, count: 600)
        let object = try object(line(.json) { $0.add("path", text: "ab" + long) })
        #expect(object["path"] as? String == String(decoding: ("ab" + long).utf8.prefix(512), as: UTF8.self))
    }

    @Test("follows the lines before it, and none that were taken")
    func follows() {
        var lines = LogLines(format: .text, capacity: 1)
        func add(_ number: Int) {
            lines.begin()
            lines.add("a", number)
            lines.add("b", number)
            lines.end()
        }
        add(1)
        add(2)
        #expect(lines.count == 16)
        #expect(String(decoding: lines.take(), as: UTF8.self) == "a=1 b=1\na=2 b=2\n")
        add(3)
        #expect(String(decoding: lines.take(), as: UTF8.self) == "a=3 b=3\n")
        #expect(lines.take().isEmpty)
    }

    @Test("has the time in UTC with milliseconds", arguments: [GatewayConfiguration.Log.Format.json, .text])
    func time(format: GatewayConfiguration.Log.Format) throws {
        var clock = WallClock()
        for _ in 0..<3 {
            let before = Date()
            let now = clock.now()
            let after = Date()
            let line = line(format) { $0.addTime(now) }
            let pattern = #/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z/#
            let text = try #require(line.firstMatch(of: pattern)).output
            #expect(line == (format == .json ? "{\"time\":\"\(text)\"}\n" : "time=\(text)\n"))
            let formatter = ISO8601DateFormatter()
            formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
            let time = try #require(formatter.date(from: String(text)))
            #expect(time >= before - 0.002)
            #expect(time <= after + 0.002)
        }
    }
}
