internal import FoundationEssentials

extension ScenarioNode {
    /// What a line of recorded requests may have besides the body's own members.
    private struct Line: Decodable {
        struct Body: Decodable {
            let model: String?
            let stream: Bool?
        }

        let path: String?
        let model: String?
        let body: Body
    }

    /// A line is `{"body": {...}, "model": ..., "path": ...}`, or the body alone.
    func recorded(_ line: String) throws(ScenarioError) -> RecordedRequest {
        let bytes = Data(line.utf8)
        if let wrapped = try? JSONDecoder().decode(Line.self, from: bytes), let body = Self.body(of: line) {
            return RecordedRequest(
                path: wrapped.path,
                model: wrapped.model ?? wrapped.body.model ?? "",
                body: body,
                isStreamed: wrapped.body.stream ?? false
            )
        }
        guard let body = try? JSONDecoder().decode(Line.Body.self, from: bytes) else {
            throw fail("a recorded request is no JSON object: \(line.prefix(80))")
        }
        return RecordedRequest(path: nil, model: body.model ?? "", body: line, isStreamed: body.stream ?? false)
    }

    /// The text of the member `body`, as it stands in the line: a body is sent byte for byte as it was recorded.
    private static func body(of line: String) -> String? {
        guard let key = line.firstRange(of: #/"body"\s*:\s*/#) else { return nil }
        var depth = 0
        var isInString = false
        var isEscaped = false
        for index in line.utf8.indices[key.upperBound...] {
            let byte = line.utf8[index]
            if isEscaped {
                isEscaped = false
            } else if isInString {
                if byte == UInt8(ascii: "\\") { isEscaped = true }
                if byte == UInt8(ascii: "\"") { isInString = false }
            } else if byte == UInt8(ascii: "\"") {
                isInString = true
            } else if byte == UInt8(ascii: "{") {
                depth += 1
            } else if byte == UInt8(ascii: "}") {
                depth -= 1
                if depth == 0 { return String(line[key.upperBound...index]) }
            }
        }
        return nil
    }
}
