import NIOHTTP1

/// What a path asks for.
struct Route {
    /// A kind of call; its raw value is the name in `/mock/stats`.
    enum Kind: String {
        case chat, embeddings, transcription, translation, models, echo, unknown
        case stats, reset

        /// The calls that are about the mock itself; they are not counted and need no key.
        var isControl: Bool { self == .stats || self == .reset }

        /// What the calls of a deployment accept; `nil` where any method goes.
        var methods: [String]? {
            switch self {
            case .chat, .embeddings, .transcription, .translation, .reset: ["POST"]
            case .models, .stats: ["GET", "HEAD"]
            case .echo, .unknown: nil
            }
        }

        /// The operation's name in Azure's 429 message.
        var operation: String {
            switch self {
            case .chat: "ChatCompletions_Create"
            case .embeddings: "Embeddings_Create"
            case .transcription: "Transcriptions_Create"
            case .translation: "Translations_Create"
            case .models, .echo, .unknown, .stats, .reset: "Models_List"
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
    /// The model of `/models/{id}`.
    var modelID: String?

    static let unknown = Route(kind: .unknown, surface: .mock)

    init(kind: Kind, surface: Surface, modelID: String? = nil) {
        self.kind = kind
        self.surface = surface
        self.modelID = modelID
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

    private static func mock(_ rest: Substring) -> Route {
        switch rest {
        case "stats": Route(kind: .stats, surface: .mock)
        case "reset": Route(kind: .reset, surface: .mock)
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

    private static func operation(_ rest: Substring, surface: Surface) -> Route {
        switch rest {
        case "chat/completions": Route(kind: .chat, surface: surface)
        case "embeddings": Route(kind: .embeddings, surface: surface)
        case "audio/transcriptions": Route(kind: .transcription, surface: surface)
        case "audio/translations": Route(kind: .translation, surface: surface)
        default: .unknown
        }
    }

    private static func resource(_ rest: Substring, surface: Surface) -> Route {
        if rest == "models" { return Route(kind: .models, surface: surface) }
        guard let id = rest.after("models/") else { return .unknown }
        return Route(kind: .models, surface: surface, modelID: RequestTarget.decoded(id.utf8))
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
