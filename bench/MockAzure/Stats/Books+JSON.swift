import NIOCore

extension Books {
    /// The body of `/mock/stats`.
    func writeJSON(into buffer: inout ByteBuffer) {
        let total = self.requests.values.reduce(0, +)
        buffer.writeString("{\"requests\":{\"total\":\(total),\"open\":\(self.requestsOpen),")
        buffer.writeString("\"aborted\":\(self.aborted)")
        self.writeSums("by_kind", into: &buffer) { $0.kind }
        self.writeSums("by_status", into: &buffer) { String($0.status) }
        self.writeSums("by_deployment", into: &buffer) { $0.deployment }
        self.writeRows(into: &buffer)
        buffer.writeString("},\"streams\":{\"total\":\(self.streams),\"open\":\(self.streamsOpen)}")
        self.writeTokens(into: &buffer)
        self.writeDeployments(into: &buffer)
        buffer.writeString(",\"events_sent\":\(self.events),\"bytes_sent\":\(self.bytesSent)")
        buffer.writeString(",\"connections\":{\"open\":\(self.connectionsOpen),")
        buffer.writeString("\"accepted\":\(self.connectionsAccepted)}}")
    }

    private func writeSums(_ name: String, into buffer: inout ByteBuffer, of key: (Row) -> String) {
        var sums: [String: Int] = [:]
        for (row, count) in self.requests where !key(row).isEmpty { sums[key(row), default: 0] += count }
        buffer.writeString(",\"\(name)\":{")
        for (index, sum) in sums.sorted(by: { $0.key < $1.key }).enumerated() {
            if index > 0 { buffer.writeStaticString(",") }
            buffer.writeJSON(sum.key)
            buffer.writeString(":\(sum.value)")
        }
        buffer.writeStaticString("}")
    }

    private func writeRows(into buffer: inout ByteBuffer) {
        buffer.writeStaticString(",\"rows\":[")
        let rows = self.requests.sorted {
            ($0.key.kind, $0.key.deployment, $0.key.status) < ($1.key.kind, $1.key.deployment, $1.key.status)
        }
        for (index, row) in rows.enumerated() {
            buffer.writeString("\(index > 0 ? "," : ""){\"kind\":\"\(row.key.kind)\",\"deployment\":")
            buffer.writeJSON(row.key.deployment)
            buffer.writeString(",\"status\":\(row.key.status),\"count\":\(row.value)}")
        }
        buffer.writeStaticString("]")
    }

    private func writeTokens(into buffer: inout ByteBuffer) {
        var sum = Tokens()
        for tokens in self.tokens.values { sum += tokens }
        buffer.writeStaticString(",\"tokens\":{")
        Self.write(sum, into: &buffer)
        buffer.writeStaticString(",\"by_deployment\":{")
        for (index, entry) in self.tokens.sorted(by: { $0.key < $1.key }).enumerated() {
            if index > 0 { buffer.writeStaticString(",") }
            buffer.writeJSON(entry.key)
            buffer.writeStaticString(":{")
            Self.write(entry.value, into: &buffer)
            buffer.writeStaticString("}")
        }
        buffer.writeStaticString("}}")
    }

    static func write(_ tokens: Tokens, into buffer: inout ByteBuffer) {
        buffer.writeString("\"prompt\":\(tokens.prompt),\"completion\":\(tokens.completion),")
        buffer.writeString("\"total\":\(tokens.prompt + tokens.completion),")
        buffer.writeString("\"cached\":\(tokens.cached),\"reasoning\":\(tokens.reasoning)")
    }
}
