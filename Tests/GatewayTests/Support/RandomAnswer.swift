import TestSupport

@testable import Gateway

/// Answers as Azure gives them, in all families of its API, and made harder to read.
enum RandomAnswer {
    /// A JSON body.
    static func body(_ random: inout SplitMix) -> [UInt8] {
        var members: [(String, RandomJSON)]
        switch Int.random(in: 0..<4, using: &random) {
        case 0: members = chunk("message", &random)
        case 1:
            members = [
                ("status", .string(statuses.randomElement(using: &random)!)), ("output", .junk(&random)),
                ("model", .string("gpt-5")),
            ]
        case 2:
            members = [
                ("data", .array((0..<3).map { _ in .junk(&random) })), ("model", .string("text-embedding-3-large")),
            ]
        default: members = [("text", .string(RandomJSON.text(&random)))]
        }
        if Int.random(in: 0..<4, using: &random) > 0 { members.append(("usage", usage(&random))) }
        return Array(RandomJSON.object(members).written(&random).utf8)
    }

    /// An event stream; none of its events is larger than what the filter may hold.
    static func stream(_ random: inout SplitMix) -> [UInt8] {
        let end = ["\n", "\r\n", "\r"].randomElement(using: &random)!
        var stream: [UInt8] = []
        let isChat = Int.random(in: 0..<3, using: &random) > 0
        for _ in 0..<Int.random(in: 0...7, using: &random) {
            stream += (isChat ? chatEvent(end, &random) : typedEvent(end, &random)).utf8
        }
        // Some are cut off.
        if Int.random(in: 0..<8, using: &random) == 0 {
            stream = Array(stream.prefix(Int.random(in: 0...stream.count, using: &random)))
        }
        return stream
    }

    /// Where to cut an answer into pieces: seldom or often.
    static func cuts(_ count: Int, _ random: inout SplitMix) -> [Int] {
        guard count > 0 else { return [] }
        switch Int.random(in: 0..<32, using: &random) {
        case 0: return Array(0..<count)
        case 1...3: return Array(stride(from: 0, to: count, by: Int.random(in: 2...40, using: &random)))
        default:
            let cuts = (0..<Int.random(in: 1...6, using: &random)).map { _ in Int.random(in: 0...count, using: &random)
            }
            return cuts.sorted()
        }
    }

    // MARK: events

    private static let statuses = ["completed", "incomplete", "failed", "cancelled", "queued", "in_progress", "new"]

    private static func event(
        _ payload: String,
        type: String? = nil,
        _ end: String,
        _ random: inout SplitMix
    ) -> String {
        var event = ""
        if Int.random(in: 0..<6, using: &random) == 0 { event += ": a comment data: {\(end)" }
        if let type { event += "event: \(type)\(end)" }
        if Int.random(in: 0..<8, using: &random) == 0 { event += "id: 7\(end)data\(end)" }
        event += ["data: ", "data:", "data:  "].randomElement(using: &random)! + payload + end + end
        if Int.random(in: 0..<10, using: &random) == 0 { event += end }
        return event
    }

    private static func chatEvent(_ end: String, _ random: inout SplitMix) -> String {
        switch Int.random(in: 0..<12, using: &random) {
        case 0: return event("[DONE]", end, &random)
        case 1: return ": ping\(end)\(end)"
        case 2:
            return event(
                RandomJSON.object([
                    ("choices", .array([])), ("prompt_filter_results", .junk(&random)), ("usage", .null),
                ]).written(&random),
                end,
                &random
            )
        case 3: return event(RandomJSON.object([("error", error(&random))]).written(&random), end, &random)
        case 4, 5:
            var members: [(String, RandomJSON)] = [
                ("choices", .array([])), ("model", .string("m-1")), ("usage", usage(&random)),
            ]
            if Bool.random(using: &random) { members.append(("x", .junk(&random))) }
            return event(RandomJSON.object(members).written(&random), end, &random)
        default:
            var members = chunk("delta", &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: members.append(("usage", usage(&random)))
            case 1, 2: members.append(("usage", .null))
            default: break
            }
            return event(RandomJSON.object(members).written(&random), end, &random)
        }
    }

    private static func typedEvent(_ end: String, _ random: inout SplitMix) -> String {
        let type = [
            "response.created", "response.in_progress", "response.output_text.delta", "response.completed",
            "response.incomplete", "response.failed", "error", "keepalive", "image_generation.completed",
            "transcript.text.delta", "transcript.text.done",
        ].randomElement(using: &random)!
        var members: [(String, RandomJSON)] = [("type", .string(type)), ("sequence_number", .int(3))]
        if type.hasSuffix(".delta") {
            members.append(("delta", .string(RandomJSON.text(&random))))
        } else if type == "error" {
            members.append(Bool.random(using: &random) ? ("error", error(&random)) : ("code", .string("server_error")))
        } else if type.hasPrefix("response.") {
            let response: [(String, RandomJSON)] = [
                ("id", .string("resp_1")), ("status", .string(statuses.randomElement(using: &random)!)),
                ("output", .junk(&random)),
                ("usage", Bool.random(using: &random) ? usage(&random) : .null), ("error", .null),
            ]
            members.append(("response", .object(response)))
        } else if Bool.random(using: &random) {
            members.append(("usage", usage(&random)))
        }
        return event(RandomJSON.object(members).written(&random), type: type, end, &random)
    }

    // MARK: parts

    private static func chunk(_ delta: String, _ random: inout SplitMix) -> [(String, RandomJSON)] {
        let choices = (0..<Int.random(in: 0...2, using: &random)).map { index -> RandomJSON in
            var said: [(String, RandomJSON)] = [("role", .string("assistant"))]
            switch Int.random(in: 0..<4, using: &random) {
            case 0: said.append(("content", .null))
            case 1:
                let function: [(String, RandomJSON)] = [
                    ("name", .string("f")), ("arguments", .string(RandomJSON.text(&random))),
                ]
                said.append(("tool_calls", .array([.object([("id", .string("c")), ("function", .object(function))])])))
            default: said.append(("content", .string(RandomJSON.text(&random))))
            }
            let reasons = [
                RandomJSON.null, .null, .string("stop"), .string("length"), .string("content_filter"), .string("new"),
            ]
            var choice: [(String, RandomJSON)] = [
                (delta, .object(said)), ("index", .int(index)),
                ("finish_reason", reasons.randomElement(using: &random)!),
            ]
            if Bool.random(using: &random) { choice.append(("logprobs", .junk(&random))) }
            if Bool.random(using: &random) { choice.append(("content_filter_results", .junk(&random))) }
            return .object(choice)
        }
        return [
            ("choices", .array(choices)), ("created", .int(1_750_000_000)), ("id", .string("chatcmpl-1")),
            ("model", .string(Bool.random(using: &random) ? "" : "gpt-4o-2024-11-20")),
            ("object", .string("chat.completion.chunk")),
        ]
    }

    private static func error(_ random: inout SplitMix) -> RandomJSON {
        .object([
            ("code", Bool.random(using: &random) ? .string("rate_limit_exceeded") : .null),
            ("message", .string(RandomJSON.text(&random))), ("innererror", .junk(&random)),
        ])
    }

    private static func usage(_ random: inout SplitMix) -> RandomJSON {
        func tokens() -> RandomJSON {
            .int([0, 1, 7, 999, 123_456, 10_000_000_000].randomElement(using: &random)!)
        }
        let isNew = Bool.random(using: &random)
        let input: [(String, RandomJSON)] = [
            ("cached_tokens", tokens()), ("audio_tokens", tokens()), ("text_tokens", tokens()),
            ("image_tokens", tokens()),
        ]
        let output: [(String, RandomJSON)] = [
            ("reasoning_tokens", tokens()), ("audio_tokens", tokens()), ("accepted_prediction_tokens", tokens()),
        ]
        var members: [(String, RandomJSON)] = [
            (isNew ? "input_tokens" : "prompt_tokens", tokens()),
            (isNew ? "output_tokens" : "completion_tokens", tokens()),
            ("total_tokens", tokens()),
            (
                isNew ? "input_tokens_details" : "prompt_tokens_details",
                Bool.random(using: &random) ? .object(input) : .null
            ),
            (isNew ? "output_tokens_details" : "completion_tokens_details", .object(output)), ("new", .junk(&random)),
        ]
        if Int.random(in: 0..<8, using: &random) == 0 {
            members = [("type", .string("duration")), ("seconds", .literal("9.25"))]
        }
        if Int.random(in: 0..<12, using: &random) == 0 { members = [("latency", .int(3))] }
        return .object(
            members.shuffled(using: &random).dropLast(Int.random(in: 0...min(2, members.count - 1), using: &random))
        )
    }
}
