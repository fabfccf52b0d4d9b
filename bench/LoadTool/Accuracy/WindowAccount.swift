/// An admitted request, as seen from outside: it was admitted at some moment between its sending and its answer's head.
/// Nanoseconds from the start of the load.
struct AdmissionSpan: Equatable, Sendable {
    let from: Int64
    let to: Int64
    let tokens: Int
}

/// What was admitted in windows of one length, wherever they begin.
///
/// When exactly a request was admitted cannot be seen from outside, only between which moments. So there are two
/// counts of a window: those that were admitted in it for certain (sent and answered in it), and those that may have
/// been. An overshoot is told from the first, an undershoot from the second, so that neither is ever a fault of the
/// clock.
struct WindowAccount: Equatable, Sendable {
    /// The most that any window admitted for certain.
    let most: Int
    /// When the window with the most begins.
    let mostAt: Int64
    /// The least that any window within the load can have admitted.
    let least: Int

    /// - Parameters:
    ///   - length: of the window.
    ///   - end: of the load; windows for `least` lie between 0 and here.
    ///   - weight: what a request counts.
    init(_ spans: [AdmissionSpan], length: Int64, end: Int64, weight: (AdmissionSpan) -> Int) {
        // A window [t, t + length] holds a span for certain if `to - length <= t <= from`.
        var edges: [(at: Int64, isEnd: Bool, weight: Int)] = []
        for span in spans where span.to - span.from <= length {
            edges.append((span.to - length, false, weight(span)))
            edges.append((span.from, true, weight(span)))
        }
        // At the same moment begins come first: both ends belong to the window.
        edges.sort { ($0.at, $0.isEnd ? 1 : 0) < ($1.at, $1.isEnd ? 1 : 0) }
        var sum = 0
        var most = 0
        var mostAt: Int64 = 0
        for edge in edges {
            sum += edge.isEnd ? -edge.weight : edge.weight
            if sum > most { (most, mostAt) = (sum, edge.at) }
        }
        self.most = most
        self.mostAt = max(0, mostAt)
        least = Self.least(spans, length: length, end: end, weight: weight)
    }

    /// A span may lie in [t, t + length] if `from - length <= t <= to`.
    private static func least(
        _ spans: [AdmissionSpan],
        length: Int64,
        end: Int64,
        weight: (AdmissionSpan) -> Int
    ) -> Int {
        guard end > length else { return spans.reduce(0) { $0 + weight($1) } }
        let last = end - length
        var edges: [(at: Int64, weight: Int)] = []
        var sum = 0
        for span in spans {
            let begin = span.from - length
            if begin <= 0 { sum += weight(span) } else if begin <= last { edges.append((begin, weight(span))) }
            if span.to < last { edges.append((span.to + 1, -weight(span))) }
        }
        edges.sort { ($0.at, -$0.weight) < ($1.at, -$1.weight) }
        var least = sum
        var index = 0
        while index < edges.count {
            let at = edges[index].at
            while index < edges.count, edges[index].at == at {
                sum += edges[index].weight
                index += 1
            }
            least = min(least, sum)
        }
        return least
    }
}
