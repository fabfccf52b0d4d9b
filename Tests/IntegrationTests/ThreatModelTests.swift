internal import Foundation
internal import Testing

extension Integration {
    @Suite("The threat model")
    struct ThreatModelTests {
        @Test("names tests that exist, for every control")
        func tests() throws {
            let checkout = Build.checkout
            let text = try String(contentsOf: checkout.appendingPathComponent("docs/threat-model.md"), encoding: .utf8)
            let files = try #require(
                FileManager.default.enumerator(
                    at: checkout.appendingPathComponent("Tests"),
                    includingPropertiesForKeys: nil
                )
            )
            let existing = Set(files.compactMap { ($0 as? URL)?.deletingPathExtension().lastPathComponent })
            let named = text.matches(of: /`(\w+Tests)`/).map { String($0.1) }
            #expect(named.count > 10)
            #expect(Set(named).subtracting(existing).sorted() == [])
            let controls = text.split(separator: "\n").filter { $0.matches(of: /\|/).count == 5 && $0.contains("| ") }
            // What nothing stops is said, and nothing shows it.
            for row in controls.dropFirst() where !row.contains("| not stopped") {
                #expect(row.contains("Tests`") || row.contains("deploy/docker/verify.sh"), "no test shows: \(row)")
            }
        }
    }
}
