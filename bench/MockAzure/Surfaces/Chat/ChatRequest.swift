import NIOCore

/// What a chat completion's answer depends on, read from its JSON body in one pass.
struct ChatRequest {
    // azure.md 5.5
    private static let maximumMessages = 2_048
    private static let maximumTools = 128

    private(set) var model: String?
    private(set) var stream = false
    private(set) var includeUsage = false
    private(set) var choices = 1
    /// `max_completion_tokens`, or its older name `max_tokens`.
    private(set) var maximumTokens: Int?
    private(set) var messages = 0
    private(set) var contentBytes = 0
    /// The function to call, when the client offers tools and did not just bring a tool's result.
    private(set) var toolName: String?
    private(set) var logprobs = false
    private(set) var serviceTier: ServiceTier?

    private var lastRoleIsTool = false
    private var toolsForbidden = false

    /// Estimated as the file's readers are told: a quarter of the content's bytes, and four for each message.
    var promptTokens: Int { (self.contentBytes + 3) / 4 + 4 * self.messages }

    init(_ body: ByteBuffer, faults: inout Faults) throws(BadRequest) {
        var request = Self()
        try body.readJSONObject { reader, key throws(BadRequest) in
            switch key {
            case "messages": try request.readMessages(&reader, faults: &faults)
            case "model": request.model = try reader.optionalString()
            case "stream": request.stream = try reader.optionalBool() ?? false
            case "n": request.choices = try reader.optionalInteger(in: 1...128) ?? 1
            case "max_tokens", "max_completion_tokens":
                request.maximumTokens = try reader.optionalInteger(in: 1...Int.max) ?? request.maximumTokens
            case "stream_options": request.includeUsage = try reader.includeUsage()
            case "tools": try request.readTools(&reader)
            case "tool_choice": try request.readToolChoice(&reader)
            case "logprobs": request.logprobs = try reader.optionalBool() ?? false
            case "service_tier": request.serviceTier = try reader.optionalServiceTier()
            case "user": try faults.readUser(reader.optionalString() ?? "")
            case "mock": try faults.readMember(&reader)
            default: try reader.skip()
            }
        }
        if request.messages > Self.maximumMessages {
            throw .tooMany(request.messages, "messages", maximum: Self.maximumMessages)
        }
        if request.messages == 0 { throw BadRequest("Missing required parameter: 'messages'.") }
        if request.lastRoleIsTool || request.toolsForbidden { request.toolName = nil }
        self = request
    }

    private init() {}

    private mutating func readMessages(
        _ reader: inout JSONReader,
        faults: inout Faults
    ) throws(BadRequest) {
        try reader.array { reader throws(BadRequest) in
            self.messages += 1
            self.lastRoleIsTool = false
            try reader.object { reader, key throws(BadRequest) in
                switch key {
                case "role": self.lastRoleIsTool = try reader.string() == "tool"
                case "content": self.contentBytes += try ContentReader.bytes(&reader, faults: &faults)
                default: try reader.skip()
                }
            }
        }
    }

    private mutating func readTools(_ reader: inout JSONReader) throws(BadRequest) {
        guard case .array = try reader.peek() else { return try reader.null() }
        var count = 0
        try reader.array { reader throws(BadRequest) in
            let function = try Self.functionName(&reader)
            if self.toolName == nil { self.toolName = function }
            count += 1
        }
        if count > Self.maximumTools { throw .tooMany(count, "tools", maximum: Self.maximumTools) }
    }

    /// `none` forbids a call; a named function is the one that is called.
    private mutating func readToolChoice(_ reader: inout JSONReader) throws(BadRequest) {
        switch try reader.peek() {
        case .string: self.toolsForbidden = try reader.string() == "none"
        case .object: self.toolName = try Self.functionName(&reader) ?? self.toolName
        case .array, .number, .bool, .null: try reader.skip()
        }
    }

    /// `{"type":"function","function":{"name":NAME}}`
    private static func functionName(_ reader: inout JSONReader) throws(BadRequest) -> String? {
        var name: String?
        try reader.object { reader, key throws(BadRequest) in
            guard key == "function" else { return try reader.skip() }
            try reader.object { reader, key throws(BadRequest) in
                if key == "name" { name = try reader.string().decoded() } else { try reader.skip() }
            }
        }
        return name
    }
}
