import NIOCore

/// What speech depends on, read from its JSON body.
struct SpeechRequest {
    enum Format: String {
        case mp3, opus, aac, flac, wav, pcm

        var contentType: StaticString {
            switch self {
            case .mp3: "audio/mpeg"
            case .opus: "audio/ogg"
            case .aac: "audio/aac"
            case .flac: "audio/flac"
            case .wav: "audio/wav"
            case .pcm: "audio/pcm"
            }
        }
    }

    /// OpenAI's limit; it also bounds the answer.
    private static let maximumInputBytes = 4_096

    private(set) var model: String?
    private(set) var format = Format.mp3
    /// Events with base64 in them, instead of the bytes.
    private(set) var asEvents = false
    private(set) var inputBytes = 0

    init(_ body: ByteBuffer, faults: inout Faults) throws(BadRequest) {
        var request = Self()
        try body.readJSONObject { reader, key throws(BadRequest) in
            switch key {
            case "input": request.inputBytes = try ContentReader.text(&reader, faults: &faults)
            case "model": request.model = try reader.optionalString()
            case "response_format": try request.readFormat(&reader)
            case "stream_format": request.asEvents = try reader.optionalString() == "sse"
            case "user": try faults.readUser(reader.optionalString() ?? "")
            case "mock": try faults.readMember(&reader)
            default: try reader.skip()
            }
        }
        if request.inputBytes == 0 { throw BadRequest("Missing required parameter: 'input'.") }
        if request.inputBytes > Self.maximumInputBytes {
            throw BadRequest("String should have at most \(Self.maximumInputBytes) characters - 'input'")
        }
        self = request
    }

    private init() {}

    private mutating func readFormat(_ reader: inout JSONReader) throws(BadRequest) {
        guard let name = try reader.optionalString() else { return }
        guard let format = Format(rawValue: name) else {
            throw BadRequest("'\(name)' is not one of ['mp3', 'opus', 'aac', 'flac', 'wav', 'pcm'] - 'response_format'")
        }
        self.format = format
    }
}
