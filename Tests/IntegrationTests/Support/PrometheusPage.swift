internal import TestSupport

/// A page in Prometheus' text format 0.0.4, read strictly (prometheus.io, "Exposition formats").
struct PrometheusPage {
    private struct Sample {
        var name: String
        var labels: [String: String]
        var value: Double
    }

    private(set) var types: [String: String] = [:]
    private var samples: [Sample] = []

    init(_ text: String) throws {
        var helped: Set<String> = []
        var current = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            if let match = line.wholeMatch(of: /# HELP ([a-z_:][a-z0-9_:]*) \S.*/) {
                guard helped.insert(String(match.1)).inserted else { throw Unexpected("HELP twice: \(line)") }
            } else if let match = line.wholeMatch(of: /# TYPE ([a-z_:][a-z0-9_:]*) (counter|gauge|histogram)/) {
                current = String(match.1)
                guard helped.contains(current), types[current] == nil else {
                    throw Unexpected("TYPE out of place: \(line)")
                }
                types[current] = String(match.2)
            } else {
                let sample = try Self.sample(line)
                let isOfHistogram = types[current] == "histogram"
                let names = isOfHistogram ? ["_bucket", "_sum", "_count"].map { current + $0 } : [current]
                guard names.contains(sample.name) else { throw Unexpected("a sample outside its family: \(line)") }
                guard !samples.contains(where: { $0.name == sample.name && $0.labels == sample.labels }) else {
                    throw Unexpected("a sample twice: \(line)")
                }
                samples.append(sample)
            }
        }
    }

    private static func sample(_ line: Substring) throws -> Sample {
        guard let match = line.wholeMatch(of: /([a-z_:][a-z0-9_:]*)(?:\{(.+)\})? (\S+)/), let value = Double(match.3)
        else {
            throw Unexpected("a line that is no sample: \(line)")
        }
        var labels: [String: String] = [:]
        var rest = match.2 ?? ""
        while !rest.isEmpty {
            guard let label = rest.prefixMatch(of: /([a-z_][a-z0-9_]*)="((?:[^"\\]|\\[\\n"])*)"(?:,|$)/) else {
                throw Unexpected("labels: \(line)")
            }
            labels[String(label.1)] = String(label.2)
            rest = rest[label.range.upperBound...]
        }
        return Sample(name: String(match.1), labels: labels, value: value)
    }

    func values(_ name: String) -> [[String: String]: Double] {
        Dictionary(uniqueKeysWithValues: samples.filter { $0.name == name }.map { ($0.labels, $0.value) })
    }

    /// Buckets must not fall, and the last one is the count.
    func checkHistogram(_ family: String) throws {
        let counts = values(family + "_count")
        guard !counts.isEmpty else { throw Unexpected("no sample of \(family)") }
        for (labels, count) in counts {
            let buckets = samples.filter { sample in
                sample.name == family + "_bucket" && sample.labels.filter { $0.key != "le" } == labels
            }
            let bounds = buckets.map { Double($0.labels["le"] ?? "") ?? .nan }
            guard bounds == bounds.sorted(), bounds.last == .infinity, buckets.last?.value == count,
                buckets.map(\.value) == buckets.map(\.value).sorted(), values(family + "_sum")[labels] != nil
            else { throw Unexpected("the histogram \(family) \(labels)") }
        }
    }
}
