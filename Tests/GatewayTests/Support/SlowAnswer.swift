import Foundation

@testable import Gateway

/// What an answer says, read whole, with Foundation's JSON and by the words of the standards.
struct SlowAnswer: Equatable {
    var usage: TokenUsage?
    var finish: AnswerFinish?
    var textBytes = 0
    var model: String?
    var isDone = false
    var hasError = false
    /// The last event is no JSON. Of the text in it a reader counts what came, which here counts as nothing.
    var isCutOff = false
    /// A stream without the events that are only there for their usage.
    var filtered: [UInt8] = []

    init() {}

    init(_ reader: UsageReader, filtered: [UInt8] = []) {
        usage = reader.usage
        finish = reader.finish
        textBytes = reader.textBytes
        model = reader.model
        isDone = reader.isDone
        hasError = reader.error != nil
        self.filtered = filtered
    }

    init(body: [UInt8]) { _ = take(body[...]) }

    init(stream: [UInt8]) {
        var event = stream[0..<0]
        var data: [ArraySlice<UInt8>] = []
        var rest = stream[...]
        var start = 0
        while !rest.isEmpty {
            let line = rest.prefix { $0 != 0x0A && $0 != 0x0D }
            rest = rest[line.endIndex...]
            let hasEnd = !rest.isEmpty
            if rest.starts(with: [0x0D, 0x0A]) { rest = rest.dropFirst(2) } else { rest = rest.dropFirst(1) }
            event = stream[start..<rest.startIndex]
            if line.starts(with: Array("data:".utf8)) { data.append(line.dropFirst(5)) }
            if (line.isEmpty && hasEnd) || rest.isEmpty {
                let isOnlyUsage = takeEvent(data)
                if !isOnlyUsage { filtered += event }
                data = []
                start = rest.startIndex
            }
        }
    }

    /// True for an event that is only there for its usage.
    private mutating func takeEvent(_ data: [ArraySlice<UInt8>]) -> Bool {
        if data.contains(where: { $0.drop { $0 == 0x20 }.starts(with: Array("[DONE]".utf8)) }) { isDone = true }
        return take(Array(data.joined(separator: [0x0A]))[...])
    }

    private mutating func take(_ text: ArraySlice<UInt8>) -> Bool {
        isCutOff = false
        guard let root = try? JSONSerialization.jsonObject(with: Data(text)) as? [String: Any] else {
            isCutOff = !text.isEmpty
            return false
        }
        let response = root["response"] as? [String: Any]
        let type = root["type"] as? String ?? ""
        let terminal = ["response.completed", "response.incomplete", "response.failed", "response.cancelled"]
        if let found = Self.usage(root["usage"]) { usage = found }
        if let found = Self.usage(response?["usage"]), terminal.contains(type) { usage = found }
        if let found = root["model"] as? String, !found.isEmpty, model == nil { model = found }
        if root["error"] is [String: Any] || type == "error" { hasError = true }
        let states: [String: AnswerFinish] = [
            "completed": .completed, "incomplete": .incomplete, "failed": .failed, "cancelled": .cancelled,
            "queued": .pending, "in_progress": .pending,
        ]
        if let state = (root["status"] ?? response?["status"]) as? String { finish = states[state] ?? finish }
        if let delta = root["delta"] as? String { textBytes += delta.utf8.count }
        let choices = root["choices"] as? [[String: Any]]
        for choice in choices ?? [] {
            let reasons: [String: AnswerFinish] = ["stop": .stop, "length": .length, "content_filter": .contentFilter]
            if let reason = choice["finish_reason"] as? String { finish = reasons[reason] ?? .other }
            let said = (choice["delta"] ?? choice["message"]) as? [String: Any] ?? [:]
            textBytes += (said["content"] as? String ?? "").utf8.count
            for call in said["tool_calls"] as? [[String: Any]] ?? [] {
                let function = call["function"] as? [String: Any] ?? [:]
                textBytes +=
                    (function["name"] as? String ?? "").utf8.count + (function["arguments"] as? String ?? "").utf8.count
            }
        }
        return choices?.isEmpty == true && Self.usage(root["usage"]) != nil
    }

    private static func usage(_ value: Any?) -> TokenUsage? {
        guard let object = value as? [String: Any] else { return nil }
        func number(_ object: [String: Any]?, _ names: String...) -> Int? {
            names.compactMap { (object?[$0] as? NSNumber)?.intValue }.first
        }
        let input = (object["prompt_tokens_details"] ?? object["input_tokens_details"]) as? [String: Any]
        let output = (object["completion_tokens_details"] ?? object["output_tokens_details"]) as? [String: Any]
        let counts = [
            number(object, "prompt_tokens", "input_tokens"), number(object, "completion_tokens", "output_tokens"),
            number(object, "total_tokens"),
        ]
        let seconds = (object["seconds"] as? NSNumber)?.doubleValue
        guard counts.contains(where: { $0 != nil }) || seconds != nil else { return nil }
        let sum = min((counts[0] ?? 0) + (counts[1] ?? 0), TokenUsage.mostTokens)
        return TokenUsage(
            input: counts[0] ?? 0,
            output: counts[1] ?? 0,
            total: max(counts[2] ?? 0, sum),
            cached: number(input, "cached_tokens") ?? 0,
            reasoning: number(output, "reasoning_tokens") ?? 0,
            inputAudio: number(input, "audio_tokens") ?? 0,
            outputAudio: number(output, "audio_tokens") ?? 0,
            inputImages: number(input, "image_tokens") ?? 0,
            outputImages: number(output, "image_tokens") ?? 0,
            seconds: seconds ?? 0
        )
    }
}
