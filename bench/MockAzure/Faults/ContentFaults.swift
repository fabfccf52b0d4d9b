import NIOCore

/// What shall be special about the content of an answer, where the rest of `Faults` is about its delivery.
struct ContentFaults {
    /// What the content filter finds.
    enum Filtered: String, CaseIterable {
        /// The request is refused with 400.
        case prompt
        /// The answer ends with `finish_reason` `content_filter`.
        case completion
    }

    /// When a stream's words leave the content filter (azure.md 5.7).
    enum FilterMode: String, CaseIterable {
        /// One by one, each with its verdict.
        case token
        /// Several in one event; this is what Azure does unless told otherwise.
        case buffered
        /// One by one without a verdict; annotations follow.
        case async
    }

    /// What the first event of a chat stream says about the prompt.
    enum PromptFilter: String, CaseIterable {
        case off = "0"
        case on = "1"
        /// Under the name it had before `prompt_filter_results`.
        case annotations
    }

    // Tokens of the usage
    var promptTokens: Int?
    var usage = UsageDetails()

    // Content filter
    var filtered: Filtered?
    var filterMode = FilterMode.token
    /// Words that are vetted at once, in the modes that collect them.
    var filterSize = 8
    var promptFilter = PromptFilter.on

    // Streams
    /// The stream fails for want of capacity, within a 200.
    var streamError = false
    /// A stream that has been silent for so long shows a sign of life.
    var keepalive: TimeAmount?

    /// The tier that is said to have served the request, whatever it asked for.
    var serviceTier: ServiceTier?
    /// So many times a background response is still at work when asked for.
    var backgroundPolls = 1
}

extension ContentFaults {
    enum Key: String, CaseIterable {
        case promptTokens = "prompt-tokens"
        case cachedTokens = "cached-tokens"
        case promptAudioTokens = "prompt-audio-tokens"
        case reasoningTokens = "reasoning-tokens"
        case completionAudioTokens = "completion-audio-tokens"
        case acceptedPredictionTokens = "accepted-prediction-tokens"
        case rejectedPredictionTokens = "rejected-prediction-tokens"
        case contentFilter = "content-filter"
        case filterMode = "filter-mode"
        case filterSize = "filter-size"
        case promptFilter = "prompt-filter"
        case streamError = "stream-error"
        case keepalive
        case serviceTier = "service-tier"
        case backgroundPolls = "background-polls"
    }

    private static let tokenRange = 0...100_000_000

    mutating func set(_ key: Key, to value: FaultValue) throws(BadRequest) {
        switch key {
        case .promptTokens: self.promptTokens = try value.integer(in: Self.tokenRange)
        case .cachedTokens: self.usage.cached = try value.integer(in: Self.tokenRange)
        case .promptAudioTokens: self.usage.promptAudio = try value.integer(in: Self.tokenRange)
        case .reasoningTokens: self.usage.reasoning = try value.integer(in: Self.tokenRange)
        case .completionAudioTokens: self.usage.completionAudio = try value.integer(in: Self.tokenRange)
        case .acceptedPredictionTokens: self.usage.acceptedPrediction = try value.integer(in: Self.tokenRange)
        case .rejectedPredictionTokens: self.usage.rejectedPrediction = try value.integer(in: Self.tokenRange)
        case .contentFilter: self.filtered = try value.choice()
        case .filterMode: self.filterMode = try value.choice()
        case .filterSize: self.filterSize = try value.integer(in: 1...100_000)
        case .promptFilter: self.promptFilter = try value.choice()
        case .streamError: self.streamError = try value.flag()
        case .keepalive:
            let interval = try value.milliseconds()
            self.keepalive = interval > .zero ? interval : nil
        case .serviceTier: self.serviceTier = try value.choice()
        case .backgroundPolls: self.backgroundPolls = try value.integer(in: 0...1_000)
        }
    }
}

/// The quality of service of a request, asked for and given (azure.md 5.1).
enum ServiceTier: String, CaseIterable {
    /// What the deployment is set to; an answer never says this.
    case auto
    case `default`
    case priority

    /// The tier an answer names when this one was asked for and is to be had.
    var served: ServiceTier { self == .auto ? .default : self }
}
