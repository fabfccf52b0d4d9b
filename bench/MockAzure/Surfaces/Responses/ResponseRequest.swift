import NIOCore

/// What a response depends on, read from its JSON body in one pass.
struct ResponseRequest {
    private(set) var model: String?
    private(set) var stream = false
    private(set) var background = false
    private(set) var store = true
    private(set) var previousID: String?
    private(set) var maximumTokens: Int?
    private(set) var serviceTier: ServiceTier?
    /// The function to call, when the client offers tools and did not just bring a tool's result.
    private(set) var toolName: String?
    private(set) var items = 0
    private(set) var contentBytes = 0

    private var endsWithToolResult = false
    private var toolsForbidden = false

    /// As in a chat: a quarter of the content's bytes, and four for each item.
    var promptTokens: Int { (self.contentBytes + 3) / 4 + 4 * self.items }

    init(_ body: ByteBuffer, faults: inout Faults) throws(BadRequest) {
        var request = Self()
        try body.readJSONObject { reader, key throws(BadRequest) in
            switch key {
            case "input": try request.readInput(&reader, faults: &faults)
            case "instructions": request.contentBytes += try ContentReader.bytes(&reader, faults: &faults)
            case "model": request.model = try reader.optionalString()
            case "stream": request.stream = try reader.optionalBool() ?? false
            case "background": request.background = try reader.optionalBool() ?? false
            case "store": request.store = try reader.optionalBool() ?? true
            case "previous_response_id": request.previousID = try reader.optionalString()
            case "max_output_tokens": request.maximumTokens = try reader.optionalInteger(in: 1...Int.max)
            case "service_tier": request.serviceTier = try reader.optionalServiceTier()
            case "tools": try request.readTools(&reader)
            case "tool_choice": try request.readToolChoice(&reader)
            case "user": try faults.readUser(reader.optionalString() ?? "")
            case "mock": try faults.readMember(&reader)
            default: try reader.skip()
            }
        }
        if request.items == 0 { throw BadRequest("Missing required parameter: 'input'.") }
        if request.background && !request.store {
            throw BadRequest("Background responses have to be stored: 'background' needs 'store'.")
        }
        if request.endsWithToolResult || request.toolsForbidden { request.toolName = nil }
        self = request
    }

    private init() {}

    /// A text, or an array of items: messages, calls, results, reasoning.
    private mutating func readInput(_ reader: inout JSONReader, faults: inout Faults) throws(BadRequest) {
        guard case .array = try reader.peek() else {
            self.items = 1
            self.contentBytes += try ContentReader.text(&reader, faults: &faults)
            return
        }
        try reader.array { reader throws(BadRequest) in
            self.items += 1
            self.endsWithToolResult = false
            try reader.object { reader, key throws(BadRequest) in
                switch key {
                case "type": self.endsWithToolResult = try reader.string() == "function_call_output"
                case "content", "output", "arguments":
                    self.contentBytes += try ContentReader.bytes(&reader, faults: &faults)
                default: try reader.skip()
                }
            }
        }
    }

    /// Functions stand flat here, unlike in a chat: `{"type":"function","name":NAME}`.
    private mutating func readTools(_ reader: inout JSONReader) throws(BadRequest) {
        guard case .array = try reader.peek() else { return try reader.null() }
        try reader.array { reader throws(BadRequest) in
            let name = try Self.functionName(&reader)
            if self.toolName == nil { self.toolName = name }
        }
    }

    private mutating func readToolChoice(_ reader: inout JSONReader) throws(BadRequest) {
        switch try reader.peek() {
        case .string: self.toolsForbidden = try reader.string() == "none"
        case .object: self.toolName = try Self.functionName(&reader) ?? self.toolName
        case .array, .number, .bool, .null: try reader.skip()
        }
    }

    private static func functionName(_ reader: inout JSONReader) throws(BadRequest) -> String? {
        var name: String?
        var isFunction = false
        try reader.object { reader, key throws(BadRequest) in
            switch key {
            case "type": isFunction = try reader.string() == "function"
            case "name": name = try reader.optionalString()
            default: try reader.skip()
            }
        }
        return isFunction ? name : nil
    }
}
