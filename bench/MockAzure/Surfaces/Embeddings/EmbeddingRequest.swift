import NIOCore

/// What an embedding's answer depends on, read from its JSON body in one pass.
struct EmbeddingRequest {
    /// azure.md 5.5: at most 2,048 inputs in an array.
    private static let maximumInputs = 2_048

    struct Input {
        /// Names the vector: equal inputs have equal vectors.
        var hash: UInt64
        var tokens: Int
    }

    private(set) var model: String?
    private(set) var inputs: [Input] = []
    private(set) var base64 = false
    private(set) var dimensions: Int?

    var promptTokens: Int { self.inputs.reduce(0) { $0 + $1.tokens } }

    init(_ body: ByteBuffer, faults: inout Faults) throws(BadRequest) {
        var request = Self()
        try body.readJSONObject { reader, key throws(BadRequest) in
            switch key {
            case "input": try request.readInput(&reader, faults: &faults)
            case "model": request.model = try reader.optionalString()
            case "encoding_format": try request.readFormat(&reader)
            case "dimensions": request.dimensions = try reader.optionalInteger(in: 1...VectorTable.maximumDimensions)
            case "user": try faults.readUser(reader.optionalString() ?? "")
            case "mock": try faults.readMember(&reader)
            default: try reader.skip()
            }
        }
        if request.inputs.isEmpty { throw BadRequest("Missing required parameter: 'input'.") }
        self = request
    }

    private init() {}

    private mutating func readFormat(_ reader: inout JSONReader) throws(BadRequest) {
        switch try reader.optionalString() {
        case "base64": self.base64 = true
        case "float", nil: self.base64 = false
        case let other?: throw BadRequest("'\(other)' is not one of ['float', 'base64'] - 'encoding_format'")
        }
    }

    /// A text, an array of texts, the tokens of one text, or an array of those.
    private mutating func readInput(_ reader: inout JSONReader, faults: inout Faults) throws(BadRequest) {
        guard case .array = try reader.peek() else {
            self.inputs = [Self.text(try reader.string(), faults: &faults)]
            return
        }
        self.inputs = []
        var tokens: Input?
        try reader.array { reader throws(BadRequest) in
            switch try reader.peek() {
            case .string: self.inputs.append(Self.text(try reader.string(), faults: &faults))
            case .array: self.inputs.append(try Self.tokens(&reader))
            case .number: try Self.add(&reader, to: &tokens)
            case .object, .bool, .null: throw BadRequest("'$.input' is invalid. Please check the API reference.")
            }
            if self.inputs.count > Self.maximumInputs {
                throw BadRequest(
                    "Too many inputs. The max number of inputs is \(Self.maximumInputs).",
                    param: "input"
                )
            }
        }
        if let tokens { self.inputs.append(tokens) }
    }

    private static func text(_ text: JSONText, faults: inout Faults) -> Input {
        ContentReader.look(at: text, faults: &faults)
        return Input(hash: FNV1a.hash(text.raw), tokens: max(1, (text.decodedCount + 3) / 4))
    }

    private static func tokens(_ reader: inout JSONReader) throws(BadRequest) -> Input {
        var input: Input?
        try reader.array { reader throws(BadRequest) in try Self.add(&reader, to: &input) }
        guard let input else { throw BadRequest("'$.input' is invalid. Please check the API reference.") }
        return input
    }

    private static func add(_ reader: inout JSONReader, to input: inout Input?) throws(BadRequest) {
        let token = try reader.integer(in: 0...Int(UInt32.max))
        var sum = input ?? Input(hash: FNV1a.offset, tokens: 0)
        sum.hash = (sum.hash ^ UInt64(token)) &* FNV1a.prime
        sum.tokens += 1
        input = sum
    }
}

/// The FNV-1a hash of 64 bits: not secret, not strong, easy to recompute in a test of any language.
enum FNV1a {
    static let offset: UInt64 = 0xCBF2_9CE4_8422_2325
    static let prime: UInt64 = 0x0000_0100_0000_01B3

    static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash = Self.offset
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* Self.prime }
        return hash
    }
}
