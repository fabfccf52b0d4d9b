/// What the `index`th request is: drawn from the seed and the index alone, so that a run can be repeated whatever the
/// answers and the number of loops.
struct RequestDraw: Equatable, Sendable {
    let index: Int
    let client: Int
    let credential: Int
    let kind: Int
    let model: Int
    let target: Int
    /// Which of the recorded requests.
    let recorded: Int
    let promptTokens: Int
    let outputTokens: Int?
    /// Give up after so many events.
    let abortAfter: Int?
    let isStreamed: Bool
}
