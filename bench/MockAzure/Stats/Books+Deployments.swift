import NIOCore

/// The part of `/mock/stats` that tells each deployment's whole story, to be compared with other books.
extension Books {
    func writeDeployments(into buffer: inout ByteBuffer) {
        var names = Set(self.requests.keys.map(\.deployment)).union(self.tokens.keys)
        names.formUnion(self.spills.keys.map(\.from))
        names.remove("")
        buffer.writeStaticString(",\"deployments\":{")
        for (index, name) in names.sorted().enumerated() {
            if index > 0 { buffer.writeStaticString(",") }
            buffer.writeJSON(name)
            self.writeDeployment(name, into: &buffer)
        }
        buffer.writeStaticString("}")
    }

    private func writeDeployment(_ name: String, into buffer: inout ByteBuffer) {
        let rows = self.requests.filter { $0.key.deployment == name }
        buffer.writeString(":{\"requests\":\(rows.values.reduce(0, +)),\"by_status\":")
        var statuses: [String: Int] = [:]
        for (row, count) in rows { statuses[String(row.status), default: 0] += count }
        Self.write(statuses, into: &buffer)

        buffer.writeStaticString(",\"refused\":")
        let refused = self.refused.filter { $0.key.deployment == name }.map { ($0.key.kind, $0.value) }
        Self.write(Dictionary(refused, uniquingKeysWith: +), into: &buffer)

        buffer.writeStaticString(",\"spilled_to\":")
        let spills = self.spills.filter { $0.key.from == name }.map { ($0.key.to, $0.value) }
        Self.write(Dictionary(spills, uniquingKeysWith: +), into: &buffer)

        buffer.writeStaticString(",\"tokens\":{")
        Self.write(self.tokens[name] ?? Tokens(), into: &buffer)
        buffer.writeStaticString("}}")
    }

    private static func write(_ counts: [String: Int], into buffer: inout ByteBuffer) {
        buffer.writeStaticString("{")
        for (index, entry) in counts.sorted(by: { $0.key < $1.key }).enumerated() {
            if index > 0 { buffer.writeStaticString(",") }
            buffer.writeJSON(entry.key)
            buffer.writeString(":\(entry.value)")
        }
        buffer.writeStaticString("}")
    }
}
