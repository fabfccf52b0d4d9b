/// What a model can do, which is what the operations of its deployment are.
enum ModelKind: String, CaseIterable {
    case chat, completion, embedding, transcription, speech, image, realtime

    /// The kind a name tells of; `nil` for a name that tells nothing, which may be anything.
    init?(guessedFrom name: String) {
        let name = name.lowercased()
        let marks: [(mark: String, kind: ModelKind)] = [
            ("embedding", .embedding),
            ("whisper", .transcription), ("transcribe", .transcription),
            ("tts", .speech),
            ("dall-e", .image), ("gpt-image", .image),
            ("realtime", .realtime),
            ("instruct", .completion), ("davinci", .completion), ("babbage", .completion),
            ("gpt", .chat), ("o1", .chat), ("o3", .chat), ("o4", .chat),
        ]
        guard let match = marks.first(where: { name.contains($0.mark) }) else { return nil }
        self = match.kind
    }
}
