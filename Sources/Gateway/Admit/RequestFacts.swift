/// What a JSON request says about its cost and about how its answer is to come; read in one pass with its model.
///
/// A value that is not of the kind Azure expects counts as absent: to refuse it is Azure's business.
struct RequestFacts: Equatable {
    /// How much there is to read for the model.
    var content = Content()
    /// The largest of `max_tokens`, `max_completion_tokens` and `max_output_tokens`: two of them together must not be a way
    /// past a limit. `nil` where none is a positive number; at most `mostTokens`.
    var maxOutput: Int?
    /// The larger of `n` and `best_of`; 1 ... `mostTokens`.
    var choices = 1
    /// `"stream": true`
    var isStream = false
    var streamOptions = StreamOptions()
    /// Azure OpenAI On Your Data, which takes no `stream_options`.
    var hasDataSources = false

    /// Numbers beyond it are taken for it.
    static let mostTokens = 10_000_000_000

    /// The prompt by kind of content; bytes are those of the texts, without JSON's quotes and escapes.
    struct Content: Equatable {
        var asciiBytes = 0
        /// Bytes of characters beyond ASCII, in UTF-8.
        var wideBytes = 0
        /// Bytes of runs of 64 and more base64 or hexadecimal digits, which have many tokens.
        var denseBytes = 0
        /// Given as numbers, in `input` or `prompt`.
        var tokens = 0
        var messages = 0
        var images = 0
        var audios = 0
        var files = 0

        /// All of it is text: what it cost tells how texts of this client compare with their estimate.
        var isTextOnly: Bool { images == 0 && audios == 0 && files == 0 }
    }

    /// The value of `stream_options` and where to change it. Offsets are those of the body that was read.
    struct StreamOptions: Equatable {
        enum Value: Equatable {
            case absent
            case null
            case emptyObject
            case object
            /// Not what Azure takes.
            case other
        }

        enum IncludeUsage: Equatable {
            case absent
            case yes
            case no
            case null
            case other
        }

        var value = Value.absent
        var range = 0..<0
        var includeUsage = IncludeUsage.absent
        var includeUsageRange = 0..<0
        /// The value of `stream`.
        var streamRange = 0..<0
        /// One of the names stands twice, of which readers may take either.
        var isAmbiguous = false
    }
}

extension RequestFacts {
    /// For a body that is not read, or cannot be: all of it could be text.
    init(unread bytes: Int) {
        content.asciiBytes = bytes
        content.messages = 1
    }
}
