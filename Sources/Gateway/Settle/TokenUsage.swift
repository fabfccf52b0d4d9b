/// What one call used, in tokens or in seconds of sound: as Azure reported it, or estimated where it did not.
///
/// The kinds are parts of `input` and `output`, not additions to them. Every number is within 0 ... `mostTokens`.
package struct TokenUsage: Equatable, Sendable {
    package var input = 0
    package var output = 0
    /// As reported, and never less than `input` and `output` together.
    package var total = 0
    /// Of the input: read from the cache.
    package var cached = 0
    /// Of the output: never shown.
    package var reasoning = 0
    package var inputAudio = 0
    package var outputAudio = 0
    /// Of the input: pictures.
    package var inputImages = 0
    /// Of the output: pictures.
    package var outputImages = 0
    /// Length of the sound, where that is what is billed; then there are no tokens.
    package var seconds: Double = 0
    /// Azure did not say; this is what the gateway makes of what it saw.
    package var isEstimated = false

    static let mostTokens = RequestFacts.mostTokens

    /// Bytes of an answer that make a token (azure.md 6).
    static let bytesPerToken = 4

    /// For an answer that ended without a usage: the prompt as estimated, and what was sent of the answer.
    ///
    /// - Parameters:
    ///   - prompt: tokens; 0 where the prompt cost nothing, as when the deployment refused it.
    ///   - textBytes: `UsageReader.textBytes`.
    static func estimated(prompt: Int, textBytes: Int) -> Self {
        let input = min(max(prompt, 0), mostTokens)
        let output = min(
            max(textBytes, 0) / bytesPerToken + (max(textBytes, 0) % bytesPerToken > 0 ? 1 : 0),
            mostTokens
        )
        return Self(input: input, output: output, total: input + output, isEstimated: true)
    }
}
