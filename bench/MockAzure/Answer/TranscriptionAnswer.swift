import NIOCore

/// The answer to an audio file: a text that names the file and its size, in the format asked for.
struct TranscriptionAnswer {
    enum Format: String {
        case json, text, srt, vtt
        case verboseJSON = "verbose_json"
    }

    let format: Format
    let translated: Bool
    let language: String
    let fileName: String
    let fileSize: Int

    init(_ form: MultipartForm, translated: Bool) throws(BadRequest) {
        guard let file = form.file else {
            throw BadRequest("Missing required parameter: 'file'.")
        }
        let format = form.fields["response_format"] ?? Format.json.rawValue
        guard let format = Format(rawValue: format) else {
            let known = "['json', 'text', 'srt', 'verbose_json', 'vtt']"
            throw BadRequest("'\(format)' is not one of \(known) - 'response_format'")
        }
        self.format = format
        self.translated = translated
        self.language = form.fields["language"] ?? "en"
        self.fileName = file.name
        self.fileSize = file.size
    }

    var contentType: StaticString {
        switch self.format {
        case .json, .verboseJSON: "application/json"
        case .text, .srt, .vtt: "text/plain; charset=utf-8"
        }
    }

    func writeBody(into buffer: inout ByteBuffer) {
        let verb = self.translated ? "Translation" : "Transcription"
        let text = "\(verb) of \(self.fileName), \(self.fileSize) bytes."
        switch self.format {
        case .json:
            buffer.writeStaticString("{\"text\":")
            buffer.writeJSON(text)
            buffer.writeStaticString("}")
        case .text:
            buffer.writeString(text + "\n")
        case .srt:
            buffer.writeString("1\n00:00:00,000 --> 00:00:02,000\n\(text)\n\n")
        case .vtt:
            buffer.writeString("WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n\(text)\n\n")
        case .verboseJSON:
            self.writeVerbose(text, into: &buffer)
        }
    }

    private func writeVerbose(_ text: String, into buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"task\":\"")
        buffer.writeStaticString(self.translated ? "translate" : "transcribe")
        buffer.writeStaticString("\",\"language\":")
        buffer.writeJSON(self.language)
        buffer.writeStaticString(",\"duration\":2.0,\"text\":")
        buffer.writeJSON(text)
        buffer.writeStaticString(
            """
            ,"segments":[{"id":0,"seek":0,"start":0.0,"end":2.0,"tokens":[50364],"temperature":0.0,\
            "avg_logprob":-0.2,"compression_ratio":1.0,"no_speech_prob":0.01,"text":
            """
        )
        buffer.writeJSON(text)
        buffer.writeStaticString("}]}")
    }
}
