/// Which exchanges are traced: those whose caller traces, and a part of the others.
struct TraceSampler {
    private var sampler: RatioSampler
    private let followsCallers: Bool

    /// - Parameters:
    ///   - ratio: of the exchanges that no caller has decided about, 0 ... 1.
    ///   - followsCallers: a caller's decision counts, whatever the ratio.
    ///   - seed: any number.
    init(ratio: Double, followsCallers: Bool, seed: UInt64) {
        sampler = RatioSampler(ratio: ratio, seed: seed)
        self.followsCallers = followsCallers
    }

    /// - Parameter caller: `nil` where there is no valid one.
    mutating func samples(caller: TraceContext?) -> Bool {
        if followsCallers, let caller { return caller.isSampled }
        return sampler.draws()
    }
}
