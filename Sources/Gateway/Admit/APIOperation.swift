/// Which of Azure OpenAI's operations a request asks for, by the end of its path; the same on both of its surfaces.
enum APIOperation: Equatable, Sendable {
    case chat
    case completions
    case embeddings
    case responses
    case images
    case transcription
    case speech
    /// Anything else: files, models, and what does not exist yet.
    case other

    /// - Parameter path: of the request, as it came. Azure matches paths without regard to case; an escape in the last
    ///   segments makes it `.other`, which costs no more than precision.
    init(path: Substring) {
        let path = path.utf8.last == UInt8(ascii: "/") ? path.dropLast() : path
        if path.ends("/chat/completions") {
            self = .chat
        } else if path.ends("/completions") {
            self = .completions
        } else if path.ends("/embeddings") {
            self = .embeddings
        } else if path.ends("/responses") {
            self = .responses
        } else if path.ends("/images/generations") || path.ends("/images/edits") || path.ends("/images/variations") {
            self = .images
        } else if path.ends("/audio/transcriptions") || path.ends("/audio/translations") {
            self = .transcription
        } else if path.ends("/audio/speech") {
            self = .speech
        } else {
            self = .other
        }
    }

    /// Its streams take `stream_options`.
    var takesStreamOptions: Bool { self == .chat || self == .completions }
}

extension Substring {
    fileprivate func ends(_ lower: StaticString) -> Bool {
        Substring(utf8.suffix(lower.utf8CodeUnitCount)).isSame(lower)
    }
}
