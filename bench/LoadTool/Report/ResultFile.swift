internal import FoundationEssentials

/// Results as JSON, in files.
enum ResultFile {
    static func encode(_ result: RunResult) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return try encoder.encode(result)
    }

    static func read(_ path: String) throws(ScenarioError) -> RunResult {
        let result: RunResult
        do {
            result = try JSONDecoder().decode(RunResult.self, from: Data(contentsOf: URL(filePath: path)))
        } catch is DecodingError {
            throw ScenarioError("\(path) is no result of sluice-load")
        } catch {
            throw ScenarioError("cannot read \(path)")
        }
        guard result.format == RunResult.currentFormat else {
            throw ScenarioError(
                "\(path) has format \(result.format); this sluice-load reads \(RunResult.currentFormat)"
            )
        }
        return result
    }
}
