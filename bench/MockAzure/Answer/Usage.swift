import NIOCore

/// What a call cost, as Azure reports it (azure.md 5.7).
struct Usage: Equatable {
    var promptTokens: Int
    var completionTokens: Int
    var details = UsageDetails()

    private static let noCompletionDetails: StaticString = """
        ,"completion_tokens_details":{"accepted_prediction_tokens":0,"audio_tokens":0,"reasoning_tokens":0,\
        "rejected_prediction_tokens":0}
        """

    private static let noPromptDetails: StaticString = """
        ,"prompt_tokens_details":{"audio_tokens":0,"cached_tokens":0}
        """

    init(promptTokens: Int, completionTokens: Int, details: UsageDetails = UsageDetails()) {
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
        self.details = details
    }

    /// - Parameters:
    ///   - prompt: the tokens of the prompt, estimated; a fault can set another number.
    ///   - words: the tokens of the visible output.
    init(prompt: Int, words: Int, faults: ContentFaults) {
        self.details = faults.usage
        self.promptTokens = (faults.promptTokens ?? prompt) + self.details.promptAudio
        self.details.cached = min(self.details.cached, self.promptTokens)
        self.completionTokens = words + self.details.hiddenCompletion
    }

    var totalTokens: Int { self.promptTokens + self.completionTokens }

    /// What is booked with the head of a stream; the rest comes with its events.
    var promptOnly: Usage {
        Usage(
            promptTokens: self.promptTokens,
            completionTokens: 0,
            details: UsageDetails(cached: self.details.cached, promptAudio: self.details.promptAudio)
        )
    }

    /// The usage object of a chat completion.
    func writeChat(details: Bool, into buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"completion_tokens\":")
        buffer.writeDecimal(self.completionTokens)
        if details { self.writeCompletionDetails(into: &buffer) }
        buffer.writeStaticString(",\"prompt_tokens\":")
        buffer.writeDecimal(self.promptTokens)
        if details { self.writePromptDetails(into: &buffer) }
        buffer.writeStaticString(",\"total_tokens\":")
        buffer.writeDecimal(self.totalTokens)
        buffer.writeStaticString("}")
    }

    /// The usage object of a response.
    func writeResponse(into buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"input_tokens\":")
        buffer.writeDecimal(self.promptTokens)
        buffer.writeStaticString(",\"input_tokens_details\":{\"cached_tokens\":")
        buffer.writeDecimal(self.details.cached)
        buffer.writeStaticString("},\"output_tokens\":")
        buffer.writeDecimal(self.completionTokens)
        buffer.writeStaticString(",\"output_tokens_details\":{\"reasoning_tokens\":")
        buffer.writeDecimal(self.details.reasoning)
        buffer.writeStaticString("},\"total_tokens\":")
        buffer.writeDecimal(self.totalTokens)
        buffer.writeStaticString("}")
    }

    private func writeCompletionDetails(into buffer: inout ByteBuffer) {
        if self.details.hiddenCompletion == 0 && self.details.acceptedPrediction == 0 {
            buffer.writeStaticString(Self.noCompletionDetails)
            return
        }
        buffer.writeStaticString(",\"completion_tokens_details\":{\"accepted_prediction_tokens\":")
        buffer.writeDecimal(self.details.acceptedPrediction)
        buffer.writeStaticString(",\"audio_tokens\":")
        buffer.writeDecimal(self.details.completionAudio)
        buffer.writeStaticString(",\"reasoning_tokens\":")
        buffer.writeDecimal(self.details.reasoning)
        buffer.writeStaticString(",\"rejected_prediction_tokens\":")
        buffer.writeDecimal(self.details.rejectedPrediction)
        buffer.writeStaticString("}")
    }

    private func writePromptDetails(into buffer: inout ByteBuffer) {
        if self.details.cached == 0 && self.details.promptAudio == 0 {
            buffer.writeStaticString(Self.noPromptDetails)
            return
        }
        buffer.writeStaticString(",\"prompt_tokens_details\":{\"audio_tokens\":")
        buffer.writeDecimal(self.details.promptAudio)
        buffer.writeStaticString(",\"cached_tokens\":")
        buffer.writeDecimal(self.details.cached)
        buffer.writeStaticString("}")
    }
}

/// The kinds of tokens within a usage; all of them are also in its sums.
struct UsageDetails: Equatable {
    /// Of the prompt: read from the cache.
    var cached = 0
    /// Of the prompt: sound.
    var promptAudio = 0
    /// Of the completion: never shown.
    var reasoning = 0
    /// Of the completion: sound.
    var completionAudio = 0
    /// Of the completion: predicted by the client, and shown.
    var acceptedPrediction = 0
    /// Of the completion: predicted by the client, and not shown, but paid for.
    var rejectedPrediction = 0

    /// Completion tokens that are in no word of the answer.
    var hiddenCompletion: Int { self.reasoning + self.completionAudio + self.rejectedPrediction }
}
