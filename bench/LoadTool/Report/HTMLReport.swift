internal import FoundationEssentials

/// The result as one page that needs nothing from outside.
enum HTMLReport {
    private static let placeholder = "{\"placeholder\":true}"

    static func page(_ result: RunResult) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        // Inside a script element only `</` and `<!--` have a meaning; `<` is as well written as an escape.
        let json = String(decoding: try encoder.encode(result), as: UTF8.self).replacing("<", with: "\\u003c")
        let template = String(decoding: PackageResources.report_html, as: UTF8.self)
        return Data(template.replacing(placeholder, with: json, maxReplacements: 1).utf8)
    }
}
