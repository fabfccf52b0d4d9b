import NIOCore

/// The answer to an audio file: a text that names the file and its size, in the format asked for.
struct TranscriptionAnswer {
    enum Format: String {
        case json, text, srt, vtt
        case verboseJSON = "verbose_json"
    }

    /// How the model bills, and what its answers say about it (azure.md 5.7).
    enum Billing {
        /// gpt-4o-transcribe: `usage` of type `tokens`.
        case tokens
        /// whisper on v1: `usage` of type `duration`.
        case duration
        /// whisper on the dated surface: no `usage`.
        case silent
    }

    let format: Format
    let translated: Bool
    let language: String
    let file: AudioFile
    let billing: Billing
    /// The prompt's tokens: text that guides the model.
    private let textTokens: Int
    private let withUsage: Bool
    private let faults: ContentFaults

    init(_ form: MultipartForm, route: Route, model: String, faults: Faults) throws(BadRequest) {
        guard let file = form.files.first else {
            throw BadRequest("Missing required parameter: 'file'.")
        }
        let format = form.fields["response_format"] ?? Format.json.rawValue
        guard let format = Format(rawValue: format) else {
            let known = "['json', 'text', 'srt', 'verbose_json', 'vtt']"
            throw BadRequest("'\(format)' is not one of \(known) - 'response_format'")
        }
        if model.contains("transcribe") {
            guard format == .json || format == .text else {
                throw BadRequest("response_format '\(format.rawValue)' is not compatible with model '\(model)'.")
            }
            self.billing = .tokens
        } else {
            self.billing = route.surface == .v1 ? .duration : .silent
        }
        self.format = format
        self.translated = route.kind == .translation
        self.language = form.fields["language"] ?? "en"
        self.file = AudioFile(name: file.name, size: file.range.count)
        self.textTokens = ((form.fields["prompt"] ?? "").utf8.count + 3) / 4
        self.withUsage = faults.usage
        self.faults = faults.content
    }

    var text: String {
        "\(self.translated ? "Translation" : "Transcription") of \(self.file.name), \(self.file.size) bytes."
    }

    /// The text in the pieces that a stream brings it in, one token each.
    var pieces: [Substring] {
        let text = self.text
        var pieces: [Substring] = []
        var start = text.startIndex
        for index in text.indices where text[index] == " " {
            pieces.append(text[start..<index])
            start = index
        }
        pieces.append(text[start...])
        return pieces
    }

    /// What is booked; a whisper model costs no tokens.
    var usage: Usage? {
        guard self.billing == .tokens else { return nil }
        return Usage(prompt: self.file.tokens + self.textTokens, words: self.pieces.count, faults: self.faults)
    }

    var contentType: StaticString {
        switch self.format {
        case .json, .verboseJSON: "application/json"
        case .text, .srt, .vtt: "text/plain; charset=utf-8"
        }
    }

    // MARK: Bodies

    func writeBody(into buffer: inout ByteBuffer) {
        switch self.format {
        case .json:
            buffer.writeStaticString("{\"text\":")
            buffer.writeJSON(self.text)
            self.writeUsage(into: &buffer)
            buffer.writeStaticString("}")
        case .text:
            buffer.writeString(self.text + "\n")
        case .srt:
            buffer.writeString("1\n00:00:00,000 --> \(self.clock),000\n\(self.text)\n\n")
        case .vtt:
            buffer.writeString("WEBVTT\n\n00:00:00.000 --> \(self.clock).000\n\(self.text)\n\n")
        case .verboseJSON:
            self.writeVerbose(into: &buffer)
        }
    }

    /// `,"usage":{...}`, or nothing where the model has none.
    func writeUsage(into buffer: inout ByteBuffer) {
        guard self.withUsage else { return }
        switch self.billing {
        case .silent:
            break
        case .duration:
            buffer.writeString(",\"usage\":{\"type\":\"duration\",\"seconds\":\(self.file.seconds)}")
        case .tokens:
            guard let usage = self.usage else { return }
            let text = min(self.textTokens, usage.promptTokens)
            buffer.writeString(",\"usage\":{\"type\":\"tokens\",\"input_tokens\":\(usage.promptTokens),")
            buffer.writeString("\"input_token_details\":{\"text_tokens\":\(text),")
            buffer.writeString("\"audio_tokens\":\(usage.promptTokens - text)},")
            buffer.writeString("\"output_tokens\":\(usage.completionTokens),\"total_tokens\":\(usage.totalTokens)}")
        }
    }

    private var clock: String {
        let parts = [self.file.seconds / 3_600, self.file.seconds / 60 % 60, self.file.seconds % 60]
        return parts.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
    }

    private func writeVerbose(into buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"task\":\"")
        buffer.writeStaticString(self.translated ? "translate" : "transcribe")
        buffer.writeStaticString("\",\"language\":")
        buffer.writeJSON(self.language)
        buffer.writeString(",\"duration\":\(self.file.seconds).0,\"text\":")
        buffer.writeJSON(self.text)
        buffer.writeString(
            """
            ,"segments":[{"id":0,"seek":0,"start":0.0,"end":\(self.file.seconds).0,"tokens":[50364],\
            "temperature":0.0,"avg_logprob":-0.2,"compression_ratio":1.0,"no_speech_prob":0.01,"text":
            """
        )
        buffer.writeJSON(self.text)
        buffer.writeStaticString("}]")
        self.writeUsage(into: &buffer)
        buffer.writeStaticString("}")
    }
}
