@testable import LoadTool

func outcome(milliseconds: Double, status: Int, verdict: Outcome.Verdict? = nil) -> Outcome {
    let verdicts: Outcome.Verdict = status == 200 ? .succeeded : status == 429 ? .refused : .rejected
    return Outcome(
        client: 0,
        kind: 0,
        model: 0,
        target: 0,
        intended: 0,
        sent: 0,
        ended: Int64(milliseconds * 1e6),
        status: status,
        verdict: verdict ?? verdicts
    )
}

/// A run of ten seconds.
func result(
    name: String = "x",
    tally: Tally,
    timeline: [RunResult.Second] = [],
    windows: [RunResult.Window] = []
) -> RunResult {
    let group = RunResult.Group("total", tally, seconds: 10)
    return RunResult(
        name: name,
        seed: 1,
        startedAt: 1_700_000_000,
        seconds: 10,
        warmUp: 0,
        isOpenLoop: true,
        loops: 1,
        targets: ["127.0.0.1:80"],
        wasInterrupted: false,
        leftOpen: 0,
        total: group,
        corrected: nil,
        clients: [RunResult.Group("a", tally, seconds: 10)],
        models: [RunResult.Group("</script><b>", tally, seconds: 10)],
        byTarget: [RunResult.Group("127.0.0.1:80", tally, seconds: 10)],
        timeline: timeline,
        lag: nil,
        connectionWait: nil,
        connectionsOpened: 1,
        utilisation: 0.2,
        bottlenecks: [],
        windows: windows,
        fairness: nil,
        books: [],
        notes: []
    )
}

/// Seconds with these rates and medians.
func timeline(_ seconds: [(rate: Int, milliseconds: Double)]) -> [RunResult.Second] {
    seconds.enumerated().map { index, second in
        var interval = Interval(targets: 1)
        for _ in 0..<second.rate { interval.record(outcome(milliseconds: second.milliseconds, status: 200)) }
        return RunResult.Second(interval, at: Double(index), seconds: 1, loops: 1)
    }
}
