import TestSupport

/// A JSON value that is written in a different way each time: order of members, white space, escapes.
enum RandomJSON {
    struct Member {
        var name: String
        var value: RandomJSON
    }

    case members([Member])
    case array([RandomJSON])
    case string(String)
    /// As it stands in the text.
    case literal(String)

    static func object(_ members: [(String, RandomJSON)]) -> Self {
        .members(members.map { Member(name: $0, value: $1) })
    }

    static func int(_ value: Int) -> Self { .literal(String(value)) }
    static var null: Self { .literal("null") }

    /// With members that look like those which matter, in a place where they do not.
    static func junk(depth: Int = 3, _ random: inout SplitMix) -> Self {
        let names = [
            "usage", "choices", "delta", "content", "response", "error", "type", "prompt_tokens", "model", "a",
        ]
        switch Int.random(in: 0..<(depth > 0 ? 6 : 4), using: &random) {
        case 0: return .string(text(&random))
        case 1: return .int(Int.random(in: -1_000...1_000_000, using: &random))
        case 2: return .literal(["true", "false", "null", "-1.5e+10", "0.25"].randomElement(using: &random)!)
        case 3:
            return .string(
                ["usage", "\"usage\":{\"prompt_tokens\":1}", "}]}", "data: [DONE]\n\n"].randomElement(using: &random)!
            )
        case 4:
            let count = Int.random(in: 0...3, using: &random)
            return .object(
                names.shuffled(using: &random).prefix(count).map { ($0, junk(depth: depth - 1, &random)) }
            )
        default:
            return .array((0..<Int.random(in: 0...3, using: &random)).map { _ in junk(depth: depth - 1, &random) })
        }
    }

    static func text(_ random: inout SplitMix) -> String {
        let pieces = [
            "a", "word ", "ö", "日本", "😀", "\"", "\\", "\n", "\t", "/", "{", "]", ",", ":", "usage", "\u{7F}", "\u{1}",
        ]
        return (0..<Int.random(in: 0...8, using: &random)).map { _ in pieces.randomElement(using: &random)! }.joined()
    }

    func written(_ random: inout SplitMix) -> String {
        var blanks = Blanks(isCompact: Bool.random(using: &random))
        var result = ""
        write(into: &result, &blanks, &random)
        return result
    }

    private struct Blanks {
        let isCompact: Bool

        mutating func next(_ random: inout SplitMix) -> String {
            isCompact ? "" : ["", " ", "  ", "\t"].randomElement(using: &random)!
        }
    }

    private func write(into result: inout String, _ blanks: inout Blanks, _ random: inout SplitMix) {
        switch self {
        case .members(let members):
            result += "{" + blanks.next(&random)
            for (index, member) in members.shuffled(using: &random).enumerated() {
                if index > 0 { result += "," + blanks.next(&random) }
                result += Self.quoted(member.name, &random) + blanks.next(&random) + ":" + blanks.next(&random)
                member.value.write(into: &result, &blanks, &random)
                result += blanks.next(&random)
            }
            result += "}"
        case .array(let elements):
            result += "[" + blanks.next(&random)
            for (index, element) in elements.enumerated() {
                if index > 0 { result += "," + blanks.next(&random) }
                element.write(into: &result, &blanks, &random)
                result += blanks.next(&random)
            }
            result += "]"
        case .literal(let text):
            result += text
        case .string(let text):
            result += Self.quoted(text, &random)
        }
    }

    /// Most texts are written as anybody would.
    private static func quoted(_ text: String, _ random: inout SplitMix) -> String {
        let isOdd = Int.random(in: 0..<4, using: &random) == 0
        return "\"" + text.unicodeScalars.map { escaped($0, isOdd: isOdd, &random) }.joined() + "\""
    }

    private static func escaped(_ scalar: Unicode.Scalar, isOdd: Bool, _ random: inout SplitMix) -> String {
        let short: [Unicode.Scalar: String] = ["\"": "\\\"", "\\": "\\\\", "\n": "\\n", "\t": "\\t", "/": "\\/"]
        if let short = short[scalar], scalar != "/" || Bool.random(using: &random) { return short }
        if scalar.value >= 0x20, !isOdd || Int.random(in: 0..<4, using: &random) > 0 { return String(scalar) }
        return String(scalar).utf16.map { unit in
            let digits = String(unit, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }.joined()
    }
}
