import Foundation
import TestSupport
import Testing

@testable import Gateway

@Suite("The reader of strangers' JSON")
struct JSONCursorTests {
    private func problem(_ json: [UInt8], depth: Int = 8) -> JSONProblem? {
        do throws(JSONProblem) {
            var cursor = try JSONCursor(json, maxDepth: depth)
            try cursor.skip()
            try cursor.end()
            return nil
        } catch {
            return error
        }
    }

    private func problem(_ json: String, depth: Int = 8) -> JSONProblem? { problem(Array(json.utf8), depth: depth) }

    private func read<Value>(_ json: String, _ body: (inout JSONCursor) throws(JSONProblem) -> Value) throws -> Value {
        var cursor = try JSONCursor(Array(json.utf8), maxDepth: 8)
        let value = try body(&cursor)
        try cursor.end()
        return value
    }

    @Test(
        "takes what RFC 8259 allows",
        arguments: [
            "{}", "[]", " { } ", "\t[\n]\r", "0", "-0", "1.5", "-1.5e+10", "1E-2", "1e400", "true", "false", "null",
            "\"\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
            "\"\\u0000\"", "\"\\ud83d\\ude00\"", "\"\u{E9}\u{1F600}\u{7F}\u{2028}\"", "[1,[2,{\"a\":[]}]]",
            "{\"a\":1,\"b\":{\"a\":2}}", "{\"\":0}",
        ]
    )
    func valid(json: String) { #expect(problem(json) == nil) }

    @Test(
        "refuses what it does not",
        arguments: [
            "", " ", "{", "}", "[", "]", "{]", "[}", "[1,]", "[,1]", "{,}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}",
            "{a:1}", "{1:1}", "{\"a\" 1}",
            "[1 2]", "1 2", "{}{}", "{}x", "01", "-", "+1", ".5", "1.", "1e", "1e+", "0x1", "NaN", "Infinity",
            "-Infinity", "tru", "True", "nul", "nulll",
            "\"", "\"\\\"", "\"\\", "\"\\u12\"", "\"\\u123g\"", "\"\\uD800\"", "\"\\uD800x\"", "\"\\uD800\\n\"",
            "\"\\uD800\\u0041\"", "\"\\uDC00\"",
            "\"\\x\"", "\"\t\"", "\"\n\"", "\"\u{0}\"", "'a'", "/**/1", "\u{FEFF}1", "{\"\\u0061\":1}", "\u{A0}1",
        ]
    )
    func invalid(json: String) { #expect(problem(json) == .malformed) }

    @Test(
        "refuses bytes that are not UTF-8",
        arguments: [
            [0xFF], [0x22, 0x80, 0x22], [0x22, 0xC0, 0xAF, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
            [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22],
            [0x22, 0xE2, 0x82, 0x22],
        ] as [[UInt8]]
    )
    func notUTF8(bytes: [UInt8]) { #expect(problem(bytes) == .malformed) }

    @Test("refuses a member that stands twice in one object, in whatever case, and only there")
    func duplicates() {
        for json in [
            "{\"a\":1,\"a\":1}", "{\"tid\":1,\"TID\":1}", "[{\"b\":{\"a\":1,\"A\":1}}]", "{\"a\":{},\"b\":[],\"a\":0}",
            "{\"\":1,\"\":1}",
        ] {
            #expect(problem(json) == .duplicateMember, "\(json)")
        }
        for json in ["{\"a\":{\"a\":{\"a\":1}}}", "[{\"a\":1},{\"a\":1}]", "{\"a\":{\"b\":1},\"b\":1}"] {
            #expect(problem(json) == nil, "\(json)")
        }
        #expect(problem("{\"\u{E4}\":1,\"\u{C4}\":1}") == nil, "other letters have no case here")
    }

    @Test("refuses depth and members above its bounds, however many come")
    func bounds() {
        #expect(problem(String(repeating: "[", count: 8) + String(repeating: "]", count: 8)) == nil)
        #expect(problem(String(repeating: "[", count: 9) + String(repeating: "]", count: 9)) == .tooDeep)
        for open in ["[", "{\"a\":", "[{\"a\":"] {
            #expect(problem(String(repeating: open, count: 100_000)) == .tooDeep)
        }
        func object(_ count: Int) -> String { "{" + (0..<count).map { "\"m\($0)\":0" }.joined(separator: ",") + "}" }
        #expect(problem(object(128)) == nil)
        #expect(problem(object(129)) == .tooManyMembers)
        #expect(problem("[\(object(128)),\(object(128))]") == nil)
    }

    @Test("reads whole numbers that every reader holds, and no others")
    func integers() throws {
        for number: Int64 in [0, 1, -1, 1_900_000_000, 9_007_199_254_740_992, -9_007_199_254_740_992] {
            #expect(try read("\(number)") { cursor throws(JSONProblem) in try cursor.integer() } == number)
        }
        #expect(try read("-0") { cursor throws(JSONProblem) in try cursor.integer() } == 0)
        for text in [
            "9007199254740993", "-9007199254740993", "99999999999999999999", "1.0", "1e3", "\"1\"", "true", "null",
            "[1]",
        ] {
            #expect(throws: JSONProblem.wrongType, "\(text)") {
                try read(text) { cursor throws(JSONProblem) in try cursor.integer() }
            }
        }
    }

    @Test(
        "reads strings as Foundation does",
        arguments: [
            "\"\"", "\"abc\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\u00e9\\u20ac\\ud83d\\ude00x\"", "\"J\u{FC}rgen\"",
            "\"e\\u0301\"", "\"\\u0000\"",
        ]
    )
    func strings(json: String) throws {
        let expected = try JSONDecoder().decode(String.self, from: Data(json.utf8))
        let text = try read(json) { cursor throws(JSONProblem) in try cursor.string() }
        #expect(text.utf8.elementsEqual(expected.utf8))
    }

    @Test("agrees with Foundation on documents that were changed at random, except where it is stricter")
    func mutations() throws {
        let seed = Array("{\"a\":[1,-2.5e3,true,null],\"b\":{\"c\":\"x\\u00e9\\n\",\"d\":[]},\"e\":\"\u{E9}\"}".utf8)
        var generator = SplitMix(seed: 11)
        var taken = 0
        for _ in 0..<20_000 {
            var json = seed
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let index = Int.random(in: 0..<json.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: json[index] = UInt8.random(in: 0...127, using: &generator)
                case 1: json.remove(at: index)
                default: json.insert(json[Int.random(in: 0..<json.count, using: &generator)], at: index)
                }
            }
            guard problem(json) == nil else { continue }
            taken += 1
            let value = try? JSONSerialization.jsonObject(with: Data(json), options: .fragmentsAllowed)
            #expect(value != nil, "\(String(decoding: json, as: UTF8.self))")
        }
        #expect(taken > 1000)
    }
}
