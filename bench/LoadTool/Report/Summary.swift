/// The result as tables of text.
struct Summary {
    let result: RunResult

    var text: String {
        [heading, outcomes, times, groups, windows, books, remarks].filter { !$0.isEmpty }.joined(separator: "\n\n")
            + "\n"
    }

    private var heading: String {
        let kind = result.isOpenLoop ? "open loop" : "closed loop"
        let end = result.wasInterrupted ? ", interrupted" : ""
        let targets = result.targets.count == 1 ? result.targets[0] : "\(result.targets.count) targets"
        return "\(result.name): \(kind), \(Text.fixed(result.seconds, 1)) s on \(targets), seed \(result.seed)\(end)"
    }

    private var outcomes: String {
        let total = result.total
        var rows = [
            ["requests", String(total.requests), "\(Text.count(total.requestsPerSecond))/s answered with 2xx"],
            ["2xx", String(total.succeeded), ""],
        ]
        if total.aborted > 0 { rows.append(["given up on purpose", String(total.aborted), ""]) }
        rows.append([
            "429", String(total.refused), total.retryAfters > 0 ? "\(total.retryAfters) told how long to wait" : "",
        ])
        rows.append([
            "other statuses", String(total.rejected), Self.list(total.statuses.filter { $0.key.first != "2" }),
        ])
        rows.append(["failed", String(total.failed), Self.list(total.failures)])
        if total.retries > 0 { rows.append(["retries", String(total.retries), ""]) }
        if total.streams > 0 {
            let broken = total.brokenStreams.isEmpty ? "all in order" : Self.list(total.brokenStreams)
            rows.append(["streams", String(total.streams), "\(total.events) events, \(broken)"])
        }
        rows.append([
            "tokens", String(total.promptTokens + total.completionTokens),
            "\(Text.count(total.tokensPerSecond))/s; \(total.promptTokens) in, \(total.completionTokens) out",
        ])
        rows.append(["bytes", Text.bytes(total.bytesReceived), "received; \(Text.bytes(total.bytesSent)) sent"])
        return rows.map {
            "  \(Text.padded($0[0], 20, left: true))\(Text.padded($0[1], 10))  \($0[2])".trimmingEnd()
        }.joined(separator: "\n")
    }

    private static func list(_ counts: [String: Int]) -> String {
        counts.sorted { $0.value > $1.value }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    }

    private var times: String {
        let total = result.total
        let named: [(String, Quantiles?)] = [
            (result.isOpenLoop ? "latency (from the intended start)" : "latency", total.latency),
            ("latency, corrected for omissions", result.corrected),
            ("service (from sending)", result.isOpenLoop ? total.service : nil),
            ("refusal", total.refusal),
            ("time to first token", total.firstToken),
            ("time between tokens", total.betweenTokens),
            ("lag of the schedule", result.isOpenLoop ? result.lag : nil),
        ]
        var rows = [["", "p50", "p90", "p99", "p99.9", "max", "mean"]]
        for (name, quantiles) in named {
            guard let quantiles else { continue }
            let values = [quantiles.p50, quantiles.p90, quantiles.p99, quantiles.p999, quantiles.max, quantiles.mean]
            rows.append([name] + values.map { Text.milliseconds($0) })
        }
        return rows.count > 1 ? Self.indented(Text.table(rows)) : ""
    }

    private var groups: String {
        let kinds = [("client", result.clients), ("model", result.models), ("target", result.byTarget)]
        let shown = kinds.filter { $0.1.count > 1 }
        return shown.map { name, groups in
            var rows = [[name, "requests", "2xx/s", "429", "errors", "tokens/s", "p50", "p99"]]
            for group in groups {
                rows.append([
                    group.name, String(group.requests), Text.count(group.requestsPerSecond), String(group.refused),
                    String(group.rejected + group.failed), Text.count(group.tokensPerSecond),
                    Text.milliseconds(group.latency?.p50), Text.milliseconds(group.latency?.p99),
                ])
            }
            return Self.indented(Text.table(rows))
        }.joined(separator: "\n\n")
    }

    private var windows: String {
        guard !result.windows.isEmpty else { return "" }
        var rows = [["limit", "window", "allowed", "most admitted", "overshoot", "least", "due", "undershoot"]]
        for window in result.windows {
            rows.append([
                "\(window.client) \(window.unit)", "\(Text.digits(window.seconds)) s",
                Text.count(window.allowed.rounded()),
                String(window.most), Text.percent(window.overshoot), String(window.least),
                Text.count(window.due.rounded()), Text.percent(window.undershoot),
            ])
        }
        let fairness = result.fairness.map { "\n  fairness between clients (Jain): \(Text.fixed($0, 3))" } ?? ""
        return Self.indented(Text.table(rows)) + fairness
    }

    private var books: String {
        guard !result.books.isEmpty else { return "" }
        var rows = [["book", "", "seen", "booked", "difference"]]
        for line in result.books {
            rows.append([line.book, line.what, String(line.seen), String(line.booked), String(line.difference)])
        }
        return Self.indented(Text.table(rows))
    }

    private var remarks: String {
        var lines = result.bottlenecks.map { "  The tool is a bottleneck: \($0)." }
        if !result.isOpenLoop {
            lines.append(
                "  A closed loop sends less while the server is slow: its percentiles hide stalls, an open loop's show them."
            )
        }
        if result.leftOpen > 0 {
            lines.append("  \(result.leftOpen) requests were open at the interrupt and are in no count.")
        }
        lines += result.notes.map { "  Note: \($0)." }
        return lines.joined(separator: "\n")
    }

    private static func indented(_ text: String) -> String {
        text.split(separator: "\n").map { "  \($0)".trimmingEnd() }.joined(separator: "\n")
    }
}

extension String {
    fileprivate func trimmingEnd() -> String {
        var text = self[...]
        while text.last == " " { text = text.dropLast() }
        return String(text)
    }
}
