/// What changed from one run to another, and whether it is more than noise.
struct RunComparison: Sendable {
    enum Verdict: String, Sendable {
        case better
        case worse
        /// No more than runs differ anyway, or too little to matter.
        case same
        /// Too few samples, or none, to tell.
        case unjudged = "not judged"
    }

    struct Row: Equatable, Sendable {
        let name: String
        let before: Double
        let after: Double
        let isTime: Bool
        let probability: Double?
        let verdict: Verdict

        /// A fraction of `before`.
        var change: Double? { before == 0 ? nil : after / before - 1 }
    }

    /// A chance of one in a hundred is left to noise.
    static let significance = 0.01
    /// Less than this is the same, however sure.
    static let smallestChange = 0.02
    /// Neighbouring seconds are alike; so many batches of them are close enough to independent.
    static let maximumBatches = 30

    let before: RunResult
    let after: RunResult

    var rows: [Row] {
        var rows = [
            sampled("throughput (2xx/s)", isTime: false, moreIsBetter: true, \.total.requestsPerSecond) {
                Double($0.succeeded) / $0.seconds
            },
            sampled("latency p50", isTime: true, moreIsBetter: false, { $0.total.latency?.p50 }) { $0.p50 },
            sampled("latency p99", isTime: true, moreIsBetter: false, { $0.total.latency?.p99 }) { $0.p99 },
            plain("latency p99.9") { $0.total.latency?.p999 },
            plain("latency max") { $0.total.latency?.max },
            plain("first token p50") { $0.total.firstToken?.p50 },
            plain("first token p99") { $0.total.firstToken?.p99 },
            plain("between tokens p99") { $0.total.betweenTokens?.p99 },
        ].compactMap { $0 }
        rows.append(part("429 (part of all)") { $0.refused })
        rows.append(part("errors (part of all)") { $0.rejected + $0.failed })
        return rows
    }

    private func sampled(
        _ name: String,
        isTime: Bool,
        moreIsBetter: Bool,
        _ figure: (RunResult) -> Double?,
        _ sample: (RunResult.Second) -> Double?
    ) -> Row? {
        guard let old = figure(before), let new = figure(after) else { return nil }
        let test = MannWhitney(Self.samples(before, sample), Self.samples(after, sample))
        var verdict = Verdict.unjudged
        if let test {
            let isReal = test.probability < Self.significance && abs(test.shift) >= Self.smallestChange * abs(old)
            verdict = isReal ? ((test.shift > 0) == moreIsBetter ? .better : .worse) : .same
        }
        return Row(
            name: name,
            before: old,
            after: new,
            isTime: isTime,
            probability: test?.probability,
            verdict: verdict
        )
    }

    /// One figure of a run has no spread to judge it by.
    private func plain(_ name: String, _ figure: (RunResult) -> Double?) -> Row? {
        guard let old = figure(before), let new = figure(after) else { return nil }
        return Row(name: name, before: old, after: new, isTime: true, probability: nil, verdict: .unjudged)
    }

    private func part(_ name: String, _ count: (RunResult.Group) -> Int) -> Row {
        let (old, new) = (count(before.total), count(after.total))
        let (oldTotal, newTotal) = (before.total.requests, after.total.requests)
        let probability = Proportions.probability(old, of: oldTotal, new, of: newTotal)
        let oldPart = Double(old) / Double(max(1, oldTotal))
        let newPart = Double(new) / Double(max(1, newTotal))
        var verdict = Verdict.unjudged
        if let probability {
            verdict = probability < Self.significance ? (newPart < oldPart ? .better : .worse) : .same
        }
        return Row(
            name: name,
            before: oldPart,
            after: newPart,
            isTime: false,
            probability: probability,
            verdict: verdict
        )
    }

    /// The middle seconds of a run, in batches: the first ones warm up, the last one is cut short.
    static func samples(_ run: RunResult, _ sample: (RunResult.Second) -> Double?) -> [Double] {
        let end = run.warmUp + run.seconds
        let seconds = run.timeline.filter { $0.at >= run.warmUp && $0.at + $0.seconds <= end + 0.5 }
        let values = seconds.compactMap(sample)
        let size = max(1, (values.count + maximumBatches - 1) / maximumBatches)
        return stride(from: 0, to: values.count, by: size).map { start in
            let batch = values[start..<min(start + size, values.count)]
            return batch.reduce(0, +) / Double(batch.count)
        }
    }

    /// Reasons to doubt the comparison itself.
    var remarks: [String] {
        var remarks: [String] = []
        if before.name != after.name { remarks.append("the scenarios differ: \(before.name) and \(after.name)") }
        if before.isOpenLoop != after.isOpenLoop { remarks.append("one run is an open loop, the other a closed one") }
        if before.seed != after.seed { remarks.append("the seeds differ: \(before.seed) and \(after.seed)") }
        for (name, run) in [("first", before), ("second", after)] {
            if !run.bottlenecks.isEmpty { remarks.append("in the \(name) run the tool was a bottleneck") }
            if run.wasInterrupted { remarks.append("the \(name) run was interrupted") }
        }
        return remarks
    }

    var text: String {
        var table = [["", "first", "second", "change", "chance by noise", "verdict"]]
        for row in rows {
            func shown(_ value: Double) -> String {
                row.isTime
                    ? Text.milliseconds(value)
                    : row.name.hasPrefix("throughput") ? Text.count(value) : Text.percent(value)
            }
            let change = row.change.map { "\($0 > 0 ? "+" : "")\(Text.percent($0))" } ?? "-"
            let chance = row.probability.map { $0 < 0.001 ? "< 0.1 %" : Text.percent($0) } ?? "-"
            table.append([row.name, shown(row.before), shown(row.after), change, chance, row.verdict.rawValue])
        }
        let notes = remarks.map { "Note: \($0)." }
        return ([Text.table(table)] + notes).joined(separator: "\n") + "\n"
    }
}
