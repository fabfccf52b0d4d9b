import NIOCore

/// What a legacy completion's answer depends on, read from its JSON body in one pass.
struct CompletionRequest {
    /// OpenAI's limit of prompts in an array; with `n` it bounds the choices.
    private static let maximumPrompts = 2_048
    private static let maximumChoices = 2_048

    struct Prompt {
        /// Where its text stands in the body, still escaped; `nil` for one that came as tokens.
        var text: Range<Int>?
        var tokens: Int
    }

    private(set) var model: String?
    private(set) var prompts: [Prompt] = []
    private(set) var stream = false
    private(set) var includeUsage = false
    private(set) var echo = false
    /// Choices for each prompt.
    private(set) var choices = 1
    /// Candidates for each prompt, of which the best are the choices. All of them cost tokens.
    private(set) var bestOf: Int?
    private(set) var maximumTokens: Int?

    var candidates: Int { max(self.choices, self.bestOf ?? 1) }
    var promptTokens: Int { self.prompts.reduce(0) { $0 + $1.tokens } }

    init(_ body: ByteBuffer, faults: inout Faults) throws(BadRequest) {
        var request = Self()
        try body.readJSONObject { reader, key throws(BadRequest) in
            switch key {
            case "prompt": try request.readPrompt(&reader, faults: &faults)
            case "model": request.model = try reader.optionalString()
            case "stream": request.stream = try reader.optionalBool() ?? false
            case "stream_options": request.includeUsage = try reader.includeUsage()
            case "echo": request.echo = try reader.optionalBool() ?? false
            case "n": request.choices = try reader.optionalInteger(in: 1...128) ?? 1
            case "best_of": request.bestOf = try reader.optionalInteger(in: 1...128)
            case "max_tokens": request.maximumTokens = try reader.optionalInteger(in: 0...Int.max)
            case "user": try faults.readUser(reader.optionalString() ?? "")
            case "mock": try faults.readMember(&reader)
            default: try reader.skip()
            }
        }
        // Without a prompt the model starts a document: one token.
        if request.prompts.isEmpty { request.prompts = [Prompt(text: nil, tokens: 1)] }
        try request.check()
        self = request
    }

    private init() {}

    private func check() throws(BadRequest) {
        if let bestOf, bestOf < self.choices {
            throw BadRequest("best_of must be greater than or equal to n: \(bestOf) is less than \(self.choices).")
        }
        if self.stream && self.candidates > self.choices {
            throw BadRequest("Results cannot be streamed when best_of is greater than n.")
        }
        if self.prompts.count * self.choices > Self.maximumChoices {
            throw BadRequest("Too many choices: at most \(Self.maximumChoices) are made in one request.")
        }
    }

    /// A text, an array of texts, the tokens of one text, or an array of those.
    private mutating func readPrompt(_ reader: inout JSONReader, faults: inout Faults) throws(BadRequest) {
        switch try reader.peek() {
        case .string: self.prompts = [try Self.text(&reader, faults: &faults)]
        case .array: try self.readPrompts(&reader, faults: &faults)
        case .null: try reader.null()
        case .object, .number, .bool: throw BadRequest("Invalid type for 'prompt': expected a string or an array.")
        }
    }

    private mutating func readPrompts(_ reader: inout JSONReader, faults: inout Faults) throws(BadRequest) {
        self.prompts = []
        var single: Prompt?
        try reader.array { reader throws(BadRequest) in
            switch try reader.peek() {
            case .string: self.prompts.append(try Self.text(&reader, faults: &faults))
            case .array: self.prompts.append(Prompt(text: nil, tokens: try Self.countTokens(&reader)))
            case .number:
                _ = try reader.integer(in: 0...Int(UInt32.max))
                single = Prompt(text: nil, tokens: (single?.tokens ?? 0) + 1)
            case .object, .bool, .null: throw BadRequest("Invalid type for an element of 'prompt'.")
            }
            if self.prompts.count > Self.maximumPrompts {
                throw BadRequest("Too many prompts: at most \(Self.maximumPrompts) are accepted.")
            }
        }
        if let single { self.prompts.append(single) }
    }

    private static func countTokens(_ reader: inout JSONReader) throws(BadRequest) -> Int {
        var count = 0
        try reader.array { reader throws(BadRequest) in
            _ = try reader.integer(in: 0...Int(UInt32.max))
            count += 1
        }
        return count
    }

    private static func text(_ reader: inout JSONReader, faults: inout Faults) throws(BadRequest) -> Prompt {
        let text = try reader.string()
        ContentReader.look(at: text, faults: &faults)
        // The reader stands behind the closing quote.
        let end = reader.offset - 1
        return Prompt(text: (end - text.raw.count)..<end, tokens: max(1, (text.decodedCount + 3) / 4))
    }
}
