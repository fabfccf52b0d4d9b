/// A text of few bytes without an allocation, collected in pieces; what does not fit is cut off.
struct ShortText {
    /// Azure's message of a rate limit is about 200 bytes long, and the wait it names is at its end.
    static let capacity = 256

    private var bytes = InlineArray<256, UInt8>(repeating: 0)
    private(set) var count = 0

    mutating func clear() { count = 0 }

    mutating func append(_ text: UnsafeRawBufferPointer) {
        let taken = min(text.count, Self.capacity - count)
        for index in 0..<taken { bytes[count + index] = text[index] }
        count += taken
    }

    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        let span = bytes.span
        return span.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }
}
