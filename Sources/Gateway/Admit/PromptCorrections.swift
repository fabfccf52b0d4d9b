/// How much more, or less, prompts really have than their estimates: learned for each client with each model.
///
/// A text in Hindi has half the tokens that its bytes suggest, one full of numbers a third more; what a client sends to a
/// model is mostly of one kind, so a moving average takes nearly all of that away. One table per event loop: nothing is
/// shared, and each loop learns by itself. A fixed number of slots: where two pairs meet in one, the later one takes it
/// and starts from 1, so the worst that many clients can do is to be estimated plainly.
struct PromptCorrections {
    private struct Slot {
        var client = Int32.min
        var model = Int32.min
        /// How many were averaged, up to `window`; the plain estimate is the first.
        var count: Int32 = 1
        var factor: Float = 1
    }

    private var slots: [Slot]

    /// No correction leaves these bounds, and no single prompt counts for more.
    static let bounds: ClosedRange<Double> = 0.5...3
    /// Older prompts weigh less: each new one counts for a sixteenth, the first ones for more.
    static let window = 16
    /// Slots of a table, 16 bytes each.
    static let standardCapacity = 4_096

    /// - Parameter capacity: at least 1.
    init(capacity: Int = standardCapacity) {
        precondition(capacity >= 1, "a table of corrections has a slot")
        slots = Array(repeating: Slot(), count: capacity)
    }

    /// Within `bounds`; 1 where nothing is known.
    ///
    /// - Parameters:
    ///   - client: index of the client.
    ///   - model: index of the model, -1 for one that the configuration does not list.
    func factor(client: Int, model: Int) -> Double {
        let slot = slots[index(client, model)]
        guard slot.client == Int32(truncatingIfNeeded: client), slot.model == Int32(truncatingIfNeeded: model) else {
            return 1
        }
        return Double(slot.factor)
    }

    /// Learns from a prompt whose real number of tokens is known. One with pictures, sound or files says nothing about texts
    /// (`RequestFacts.Content.isTextOnly`) and should not be shown.
    ///
    /// - Parameters:
    ///   - estimated: `TokenEstimate.plainPrompt`, without a correction.
    ///   - actual: as Azure reported it.
    mutating func learn(client: Int, model: Int, estimated: Int, actual: Int) {
        guard estimated > 0, actual > 0 else { return }
        let index = index(client, model)
        let client = Int32(truncatingIfNeeded: client)
        let model = Int32(truncatingIfNeeded: model)
        if slots[index].client != client || slots[index].model != model {
            slots[index] = Slot(client: client, model: model)
        }
        let ratio = min(max(Double(actual) / Double(estimated), Self.bounds.lowerBound), Self.bounds.upperBound)
        let count = min(Int(slots[index].count) + 1, Self.window)
        let factor = Double(slots[index].factor)
        slots[index].count = Int32(count)
        slots[index].factor = Float(factor + (ratio - factor) / Double(count))
    }

    private func index(_ client: Int, _ model: Int) -> Int {
        // Clients and models are numbered from zero: as long as all pairs fit, no two of them meet often.
        let mixed =
            (UInt64(bitPattern: Int64(client)) &* 0x9E37_79B9_7F4A_7C15) ^ UInt64(bitPattern: Int64(model))
            &* 0xC2B2_AE3D_27D4_EB4F
        return Int((mixed >> 20) % UInt64(slots.count))
    }
}
