internal import Coordination
internal import NIOCore

/// What models were asked for, what it cost and how long it took: the part of a shard that has OpenTelemetry's GenAI names.
///
/// Indexed by what the configuration lists and by `Operation`, so that its size is bounded.
struct GenerationMetrics {
    /// Tokens by client, model and kind.
    private(set) var tokens: [Int]
    /// Exchanges whose usage Azure did not report, by model.
    private(set) var estimated: [Int]
    /// Length of the sound that was billed by its length, in milliseconds, by model.
    private(set) var soundMilliseconds: [Int]
    /// By model and operation.
    private(set) var duration: [Histogram]
    /// Of streams, by model and operation.
    private(set) var firstToken: [Histogram]
    private(set) var perOutputToken: [Histogram]
    private(set) var inputTokens: [Histogram]
    private(set) var outputTokens: [Histogram]
    /// Estimate in thousandths of what Azure reported, by model.
    private(set) var reservation: [Histogram]

    private let clients: Int
    private let models: Int

    /// The kinds of tokens, in the order of `tokens`. All but the first two are parts of these.
    static let kinds = [
        "input", "output", "input_cached", "output_reasoning", "input_audio", "output_audio", "input_image",
        "output_image",
    ]

    /// `gen_ai.operation.name` (OpenTelemetry, "Semantic conventions for generative AI metrics").
    enum Operation: Int, CaseIterable {
        case chat, textCompletion, embeddings, generateContent, transcription, other

        init(_ operation: APIOperation) {
            self =
                switch operation {
                case .chat, .responses: .chat
                case .completions: .textCompletion
                case .embeddings: .embeddings
                case .images, .speech: .generateContent
                case .transcription: .transcription
                case .other: .other
                }
        }

        var name: String {
            switch self {
            case .chat: "chat"
            case .textCompletion: "text_completion"
            case .embeddings: "embeddings"
            case .generateContent: "generate_content"
            case .transcription: "transcription"
            case .other: "other"
            }
        }
    }

    /// The bounds that the conventions advise for `gen_ai.client.token.usage`.
    static let tokenBounds: [Int64] = (0...13).map { 1 << (2 * $0) }
    /// The same for `gen_ai.server.time_per_output_token`.
    static let perTokenBounds: [Int64] = [10, 25, 50, 75, 100, 150, 200, 300, 400, 500, 750, 1_000, 2_500].map {
        $0 * 1_000_000
    }
    /// The same for `gen_ai.server.time_to_first_token`, without what no network allows, and up to a minute.
    static let firstTokenBounds: [Int64] = [
        1, 5, 10, 20, 40, 60, 80, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000, 30_000, 60_000,
    ].map { $0 * 1_000_000 }
    /// Thousandths: from a tenth to a hundred times of what was used.
    static let ratioBounds: [Int64] = [
        100, 250, 500, 750, 900, 1_000, 1_100, 1_250, 1_500, 2_000, 4_000, 10_000, 100_000,
    ]

    init(clients: Int, models: Int) {
        self.clients = clients
        self.models = models
        let places = (models + 1) * Operation.allCases.count
        func histograms(_ bounds: [Int64], _ count: Int) -> [Histogram] {
            [Histogram](repeating: Histogram(bounds: bounds), count: count)
        }
        tokens = [Int](repeating: 0, count: (clients + 1) * (models + 1) * Self.kinds.count)
        estimated = [Int](repeating: 0, count: models + 1)
        soundMilliseconds = estimated
        duration = histograms(Histogram.timeBounds, places)
        firstToken = histograms(Self.firstTokenBounds, places)
        perOutputToken = histograms(Self.perTokenBounds, places)
        inputTokens = histograms(Self.tokenBounds, places)
        outputTokens = inputTokens
        reservation = histograms(Self.ratioBounds, models + 1)
    }

    mutating func count(_ record: borrowing ExchangeRecord) {
        let model = record.model ?? models
        let place = Self.index(model: model, operation: Operation(record.operation))
        duration[place].observe(record.end - record.start)
        if record.isStream, 200..<300 ~= record.status, let first = record.firstByte {
            firstToken[place].observe(first - record.start)
            let others = record.usage.output - 1
            if others > 0 {
                perOutputToken[place].observe((record.end - first).nanoseconds / Int64(others))
            }
        }
        count(record.usage, estimate: record.estimate, client: record.client ?? clients, model: model, place: place)
    }

    private mutating func count(_ usage: TokenUsage, estimate: Int, client: Int, model: Int, place: Int) {
        if usage.seconds > 0 { soundMilliseconds[model] += Int(usage.seconds * 1000) }
        guard usage.total > 0 else { return }
        let first = index(client: client, model: model, kind: 0)
        tokens[first] += usage.input
        tokens[first + 1] += usage.output
        tokens[first + 2] += usage.cached
        tokens[first + 3] += usage.reasoning
        tokens[first + 4] += usage.inputAudio
        tokens[first + 5] += usage.outputAudio
        tokens[first + 6] += usage.inputImages
        tokens[first + 7] += usage.outputImages
        inputTokens[place].observe(Int64(usage.input))
        outputTokens[place].observe(Int64(usage.output))
        if usage.isEstimated {
            estimated[model] += 1
        } else if estimate > 0 {
            reservation[model].observe(Int64(estimate) * 1000 / Int64(usage.total))
        }
    }

    /// - Parameter other: of as many clients and models, or of fewer.
    mutating func add(_ other: Self) {
        MetricsRows.each(clients: (other.clients, clients), models: (other.models, models), width: Self.kinds.count) {
            tokens[$1] += other.tokens[$0]
        }
        MetricsRows.each(of: other.models, in: models) { old, new in
            estimated[new] += other.estimated[old]
            soundMilliseconds[new] += other.soundMilliseconds[old]
            reservation[new].add(other.reservation[old])
        }
        MetricsRows.each(of: other.models, in: models, width: Operation.allCases.count) { old, new in
            duration[new].add(other.duration[old])
            firstToken[new].add(other.firstToken[old])
            perOutputToken[new].add(other.perOutputToken[old])
            inputTokens[new].add(other.inputTokens[old])
            outputTokens[new].add(other.outputTokens[old])
        }
    }

    func index(client: Int, model: Int, kind: Int) -> Int {
        (client * (models + 1) + model) * Self.kinds.count + kind
    }

    static func index(model: Int, operation: Operation) -> Int {
        model * Operation.allCases.count + operation.rawValue
    }
}
