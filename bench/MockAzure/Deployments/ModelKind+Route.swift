/// What the calls of a deployment need its model to be.
extension Route.Kind {
    /// The model the call works with; `nil` where any will do.
    private var model: ModelKind? {
        switch self {
        case .chat, .responses: .chat
        case .completions: .completion
        case .embeddings: .embedding
        case .transcription, .translation: .transcription
        case .speech: .speech
        case .imageGeneration, .imageEdit: .image
        case .response, .responseCancel, .files, .file, .fileContent, .models, .echo, .unknown, .stats, .reset, .limits:
            nil
        }
    }

    /// Whether a deployment of this kind can serve the call; one of no known kind serves all.
    func works(with kind: ModelKind?) -> Bool {
        guard let kind, let model = self.model else { return true }
        return kind == model
    }

    /// The call's name in Azure's message about the wrong model.
    var modelOperation: String {
        switch self {
        case .chat: "chatCompletion"
        case .completions: "completion"
        case .imageGeneration: "imageGeneration"
        case .imageEdit: "imageEdit"
        case .responses, .embeddings, .transcription, .translation, .speech, .response, .responseCancel, .files, .file,
            .fileContent, .models, .echo, .unknown, .stats, .reset, .limits:
            self.rawValue
        }
    }

    /// The call's path below its deployment.
    var path: String {
        switch self {
        case .chat: "chat/completions"
        case .imageGeneration: "images/generations"
        case .imageEdit: "images/edits"
        case .speech: "audio/speech"
        case .transcription: "audio/transcriptions"
        case .translation: "audio/translations"
        case .completions, .embeddings, .responses, .response, .responseCancel, .files, .file, .fileContent, .models,
            .echo, .unknown, .stats, .reset, .limits:
            self.rawValue
        }
    }
}
