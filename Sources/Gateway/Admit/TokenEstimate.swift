/// How many tokens a request may use, estimated before it is sent: prompt and longest answer, as Azure reserves them.
///
/// Azure's own rate limiter estimates by characters (azure.md 5.3), so exactness is not needed; what is estimated wrongly is
/// made good by the settlement. The prompt is
///
/// - a token for every 4 bytes of ASCII, 3.5 bytes of other characters in UTF-8, and 1.5 bytes of long runs of base64 or
///   hexadecimal digits (measured with o200k and cl100k, azure.md 6);
/// - 4 for each message, tokens that are given as such, and a fixed number for each picture, sound and file, whose real
///   cost depends on sizes that are not in the request;
/// - all of it times the correction that this client's texts for this model have earned.
///
/// The answer is what the request allows, or the configured default, times the number of choices.
struct TokenEstimate: Equatable {
    /// Of the prompt, without the correction: what the actual number is compared with.
    let plainPrompt: Int
    let prompt: Int
    /// All of it: 1 ... the client's burst.
    let total: Int

    /// A picture of 1024 x 1024 at high detail: 85 and 170 for each of its 4 tiles (OpenAI, "Images and vision").
    static let perImage = 765
    /// A minute of sound, at 10 tokens per second.
    static let perAudio = 600
    /// A few pages.
    static let perFile = 2_000
    static let perMessage = 4
    /// A picture that is made, at medium quality: 1,056 square, 1,584 tall (OpenAI, "Image generation").
    static let perMadeImage = 1_584

    /// - Parameters:
    ///   - facts: of the request.
    ///   - correction: `PromptCorrections.factor`; 1 where nothing is known.
    ///   - defaultOutput: `default_output_tokens`, for requests that do not limit their answer.
    ///   - burst: the most that the client's limits can ever let pass at once. An estimate above it would refuse the request
    ///     for ever; the settlement books what it really used.
    init(
        _ facts: RequestFacts,
        operation: APIOperation,
        correction: Double = 1,
        defaultOutput: Int,
        burst: Int = RequestFacts.mostTokens
    ) {
        plainPrompt = Self.prompt(facts.content, operation: operation)
        let factor = correction.isNaN ? 1 : min(max(correction, 0), 100)
        // Far within what a Double holds exactly.
        let corrected = (Double(plainPrompt) * factor).rounded(.up)
        prompt = min(Int(corrected), RequestFacts.mostTokens)
        let answer = Self.answer(facts, operation: operation, defaultOutput: defaultOutput)
        total = max(1, min(prompt + answer, RequestFacts.mostTokens, burst))
    }

    private static func prompt(_ content: RequestFacts.Content, operation: APIOperation) -> Int {
        func bounded(_ count: Int) -> Int { min(max(count, 0), RequestFacts.mostTokens) }
        // Embeddings have texts, no messages.
        let messages = operation == .embeddings || operation == .completions ? 0 : bounded(content.messages)
        // No bounded number times its factor, and no sum of them, comes near the end of Int.
        let tokens =
            (bounded(content.asciiBytes) + 3) / 4 + (bounded(content.wideBytes) * 2 + 6) / 7
            + (bounded(content.denseBytes) * 2 + 2) / 3
            + bounded(content.tokens) + messages * perMessage + bounded(content.images) * perImage
            + bounded(content.audios) * perAudio + bounded(content.files) * perFile
        return bounded(tokens)
    }

    private static func answer(_ facts: RequestFacts, operation: APIOperation, defaultOutput: Int) -> Int {
        let one: Int
        switch operation {
        case .embeddings: return 0
        case .images: one = perMadeImage
        case .chat, .completions, .responses, .transcription, .speech, .other:
            one = facts.maxOutput ?? max(0, min(defaultOutput, RequestFacts.mostTokens))
        }
        let (all, overflow) = one.multipliedReportingOverflow(by: max(1, facts.choices))
        return overflow ? RequestFacts.mostTokens : min(all, RequestFacts.mostTokens)
    }
}
