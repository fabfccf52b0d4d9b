import NIOCore

/// What images depend on, read from JSON (generations) or from a form (edits).
struct ImageRequest {
    enum Quality: String {
        case low, medium, high
    }

    private(set) var model: String?
    private(set) var promptBytes = 0
    /// Images to make.
    private(set) var count = 1
    /// Images to start from.
    private(set) var inputs = 0
    private(set) var size = "1024x1024"
    private(set) var quality = Quality.medium
    private(set) var asURL = true
    private(set) var stream = false
    private(set) var partials = 0

    private static let countRange = 1...10
    private static let partialRange = 0...3

    init(json body: ByteBuffer, faults: inout Faults) throws(BadRequest) {
        var request = Self()
        try body.readJSONObject { reader, key throws(BadRequest) in
            switch key {
            case "prompt": request.promptBytes = try ContentReader.text(&reader, faults: &faults)
            case "model": request.model = try reader.optionalString()
            case "n": request.count = try reader.optionalInteger(in: Self.countRange) ?? 1
            case "size": try request.setSize(reader.optionalString())
            case "quality": request.setQuality(try reader.optionalString())
            case "response_format": request.asURL = try reader.optionalString() != "b64_json"
            case "stream": request.stream = try reader.optionalBool() ?? false
            case "partial_images": request.partials = try reader.optionalInteger(in: Self.partialRange) ?? 0
            case "user": try faults.readUser(reader.optionalString() ?? "")
            case "mock": try faults.readMember(&reader)
            default: try reader.skip()
            }
        }
        if request.promptBytes == 0 { throw BadRequest("Missing required parameter: 'prompt'.") }
        self = request
    }

    init(form: MultipartForm) throws(BadRequest) {
        self.model = form.fields["model"]
        self.promptBytes = form.fields["prompt"]?.utf8.count ?? 0
        self.inputs = form.files.count { $0.field == "image" || $0.field == "image[]" }
        self.count = try Self.integer(form.fields["n"], in: Self.countRange) ?? 1
        self.partials = try Self.integer(form.fields["partial_images"], in: Self.partialRange) ?? 0
        self.stream = form.fields["stream"] == "true"
        self.asURL = form.fields["response_format"] != "b64_json"
        try self.setSize(form.fields["size"])
        self.setQuality(form.fields["quality"])
        if self.promptBytes == 0 { throw BadRequest("Missing required parameter: 'prompt'.") }
        if self.inputs == 0 { throw BadRequest("Missing required parameter: 'image'.") }
    }

    private init() {}

    var promptTokens: Int { (self.promptBytes + 3) / 4 }

    private mutating func setSize(_ text: String?) throws(BadRequest) {
        guard let text, text != "auto" else { return }
        let parts = text.split(separator: "x", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ UInt16($0) ?? 0 > 0 }) else {
            throw BadRequest("Invalid value: '\(text.prefix(32))'. 'size' is WIDTHxHEIGHT or 'auto'.")
        }
        self.size = text
    }

    /// DALL-E's `standard` and `hd`, and `auto`, are a medium quality here.
    private mutating func setQuality(_ text: String?) {
        self.quality = text.flatMap(Quality.init) ?? .medium
    }

    private static func integer(_ text: String?, in range: ClosedRange<Int>) throws(BadRequest) -> Int? {
        guard let text else { return nil }
        guard let value = Int(text), range.contains(value) else {
            let bounds = "from \(range.lowerBound) to \(range.upperBound)"
            throw BadRequest("Expected an integer \(bounds), not '\(text.prefix(32))'.")
        }
        return value
    }
}
