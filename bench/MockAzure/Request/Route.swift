import NIOHTTP1

/// What a path asks for.
struct Route {
    /// A kind of call; its raw value is the name in `/mock/stats`.
    enum Kind: String {
        case chat, completions, embeddings
        case responses, response
        case responseCancel = "response_cancel"
        case imageGeneration = "image_generation"
        case imageEdit = "image_edit"
        case speech, transcription, translation
        case files, file
        case fileContent = "file_content"
        case models, echo, unknown
        case stats, reset, limits

        /// The calls that are about the mock itself; they are not counted and need no key.
        var isControl: Bool { self == .stats || self == .reset || self == .limits }

        /// The methods that are accepted; `nil` where any method goes.
        var methods: [String]? {
            switch self {
            case .chat, .completions, .embeddings, .responses, .responseCancel, .imageGeneration, .imageEdit, .speech,
                .transcription, .translation, .reset:
                ["POST"]
            case .response, .file: ["GET", "DELETE"]
            case .files: ["GET", "POST"]
            case .fileContent: ["GET"]
            case .models, .stats: ["GET", "HEAD"]
            case .limits: ["GET", "POST"]
            case .echo, .unknown: nil
            }
        }

        /// The operation's name in Azure's 429 message.
        var operation: String {
            switch self {
            case .chat: "ChatCompletions_Create"
            case .completions: "Completions_Create"
            case .embeddings: "Embeddings_Create"
            case .responses: "Responses_Create"
            case .response: "Responses_Get"
            case .responseCancel: "Responses_Cancel"
            case .imageGeneration: "ImageGenerations_Create"
            case .imageEdit: "ImageEdits_Create"
            case .speech: "Speech_Create"
            case .transcription: "Transcriptions_Create"
            case .translation: "Translations_Create"
            case .files, .file, .fileContent: "Files"
            case .models, .echo, .unknown, .stats, .reset, .limits: "Models_List"
            }
        }
    }

    /// How a call names its deployment (azure.md 5.1: the dated surface by path, v1 by the body's `model`).
    enum Surface: Equatable {
        case dated(deployment: String?)
        case v1
        case mock
    }

    var kind: Kind
    var surface: Surface
    /// The model of `/models/{id}`, and likewise the response or the file.
    var itemID: String?

    static let unknown = Route(kind: .unknown, surface: .mock)

    init(kind: Kind, surface: Surface, itemID: String? = nil) {
        self.kind = kind
        self.surface = surface
        self.itemID = itemID
    }

    init(path: Substring) {
        if let rest = path.after("/openai/deployments/") {
            self = Self.dated(rest)
        } else if let rest = path.after("/openai/v1/") {
            self = Self.versioned(rest)
        } else if let rest = path.after("/openai/") {
            self = Self.resource(rest, surface: .dated(deployment: nil))
        } else if let rest = path.after("/mock/") {
            self = Self.mock(rest)
        } else {
            self = .unknown
        }
    }

    func allows(_ method: HTTPMethod) -> Bool {
        self.kind.methods?.contains(method.rawValue) ?? true
    }
}

// MARK: - Paths

extension Route {
    private static func mock(_ rest: Substring) -> Route {
        switch rest {
        case "stats": Route(kind: .stats, surface: .mock)
        case "reset": Route(kind: .reset, surface: .mock)
        case "limits": Route(kind: .limits, surface: .mock)
        case _ where rest == "echo" || rest.after("echo/") != nil: Route(kind: .echo, surface: .mock)
        default: .unknown
        }
    }

    private static func dated(_ rest: Substring) -> Route {
        guard let slash = rest.utf8.firstIndex(of: UInt8(ascii: "/")) else { return .unknown }
        let name = RequestTarget.decoded(rest[..<slash].utf8)
        return Self.operation(rest[rest.utf8.index(after: slash)...], surface: .dated(deployment: name))
    }

    private static func versioned(_ rest: Substring) -> Route {
        let route = Self.operation(rest, surface: .v1)
        return route.kind == .unknown ? Self.resource(rest, surface: .v1) : route
    }

    /// The calls that a deployment serves.
    private static func operation(_ rest: Substring, surface: Surface) -> Route {
        switch rest {
        case "chat/completions": Route(kind: .chat, surface: surface)
        case "embeddings": Route(kind: .embeddings, surface: surface)
        case "completions": Route(kind: .completions, surface: surface)
        case "images/generations": Route(kind: .imageGeneration, surface: surface)
        case "images/edits": Route(kind: .imageEdit, surface: surface)
        case "audio/speech": Route(kind: .speech, surface: surface)
        case "audio/transcriptions": Route(kind: .transcription, surface: surface)
        case "audio/translations": Route(kind: .translation, surface: surface)
        default: .unknown
        }
    }

    /// The calls to the resource as a whole.
    private static func resource(_ rest: Substring, surface: Surface) -> Route {
        switch rest {
        case "responses": return Route(kind: .responses, surface: surface)
        case "files": return Route(kind: .files, surface: surface)
        case "models": return Route(kind: .models, surface: surface)
        default: break
        }
        if let item = rest.after("responses/") {
            return Self.item(item, surface, [("", .response), ("cancel", .responseCancel)])
        }
        if let item = rest.after("files/") {
            return Self.item(item, surface, [("", .file), ("content", .fileContent)])
        }
        if let id = rest.after("models/") {
            return Route(kind: .models, surface: surface, itemID: RequestTarget.decoded(id.utf8))
        }
        return .unknown
    }

    /// `{id}` and `{id}/{action}`.
    private static func item(_ rest: Substring, _ surface: Surface, _ actions: [(Substring, Kind)]) -> Route {
        let parts = rest.utf8.split(separator: UInt8(ascii: "/"), maxSplits: 1, omittingEmptySubsequences: false)
        let action = parts.count == 2 ? Substring(parts[1]) : ""
        guard let kind = actions.first(where: { $0.0 == action })?.1, !parts[0].isEmpty else { return .unknown }
        return Route(kind: kind, surface: surface, itemID: RequestTarget.decoded(parts[0]))
    }
}

extension Substring {
    /// What follows `prefix`, compared byte by byte: `hasPrefix` compares characters, which is many times slower.
    fileprivate func after(_ prefix: StaticString) -> Substring? {
        var index = self.utf8.startIndex
        let bytes = UnsafeBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount)
        for byte in bytes {
            guard index < self.utf8.endIndex, self.utf8[index] == byte else { return nil }
            self.utf8.formIndex(after: &index)
        }
        return self[index...]
    }
}
