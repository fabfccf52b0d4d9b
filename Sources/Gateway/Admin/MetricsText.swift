internal import Coordination

/// Writes Prometheus' text format (prometheus.io, "Exposition formats").
struct MetricsText {
    private(set) var text = ""

    mutating func family(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    mutating func sample(_ name: String, _ value: Int, labels: [(String, String)] = []) {
        text += "\(name)\(Self.braces(labels)) \(value)\n"
    }

    mutating func sample(_ name: String, _ value: Double, labels: [(String, String)] = []) {
        text += "\(name)\(Self.braces(labels)) \(value)\n"
    }

    /// Buckets, cumulative, then sum and count.
    ///
    /// - Parameter unit: how much of what the histogram counts is one of what the metric is in: nanoseconds and seconds.
    mutating func histogram(
        _ name: String,
        _ histogram: Histogram,
        labels: [(String, String)],
        unit: Double = 1_000_000_000
    ) {
        var cumulative = 0
        for (bound, count) in zip(histogram.bounds, histogram.counts) {
            cumulative += count
            text += "\(name)_bucket\(Self.braces(labels + [("le", "\(Double(bound) / unit)")])) \(cumulative)\n"
        }
        text += "\(name)_bucket\(Self.braces(labels + [("le", "+Inf")])) \(histogram.total)\n"
        text += "\(name)_sum\(Self.braces(labels)) \(Double(histogram.sum) / unit)\n"
        text += "\(name)_count\(Self.braces(labels)) \(histogram.total)\n"
    }

    private static func braces(_ labels: [(String, String)]) -> String {
        if labels.isEmpty { return "" }
        let pairs = labels.map { name, value in "\(name)=\"\(escaped(value))\"" }
        return "{" + pairs.joined(separator: ",") + "}"
    }

    private static func escaped(_ value: String) -> String {
        var result = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
