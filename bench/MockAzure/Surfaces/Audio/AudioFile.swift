/// What an uploaded sound is worth.
struct AudioFile {
    let name: String
    let size: Int

    /// A second of 16-bit mono at 16 kHz: the mock hears every file as such, whatever it is.
    private static let bytesPerSecond = 32_000
    /// What gpt-4o-transcribe counts for a second of sound.
    private static let tokensPerSecond = 10

    /// The duration in whole seconds, rounded up.
    var seconds: Int { max(1, (self.size + Self.bytesPerSecond - 1) / Self.bytesPerSecond) }

    var tokens: Int { self.seconds * Self.tokensPerSecond }
}
