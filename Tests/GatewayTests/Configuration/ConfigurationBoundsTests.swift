import Testing

@testable import Gateway

@Suite("A hostile configuration file", .timeLimit(.minutes(5)))
struct ConfigurationBoundsTests {
    @Test("cannot expand aliases without bound")
    func aliasBomb() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...20 {
            let aliases = [String](repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        let errors = configurationErrors(of: text)
        #expect(errors == "5:5: more than 100,000 values from here on, aliases counted each time they are used")
    }

    @Test("cannot hide an alias bomb in a key")
    func aliasBombInKey() {
        var text = "a0: &a0 [x, x]\n"
        for level in 1...15 {
            text += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n"
        }
        text += "? *a15\n: 1\n? [*a15]\n: 2\n"
        let errors = configurationErrors(of: text) ?? ""
        #expect(errors.contains("17:3: a key must be a plain name, not a list, a mapping or an alias"))
        #expect(errors.contains("19:3: a key must be a plain name, not a list, a mapping or an alias"))
    }

    @Test("cannot nest without bound", arguments: [33, 500, 5_000, 200_000])
    func nesting(levels: Int) {
        let text = "log: " + String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        let errors = configurationErrors(of: completedConfiguration(text)) ?? ""
        #expect(errors.contains("nested more than 32 levels deep"))
    }

    @Test("cannot nest without bound in blocks, nor through aliases")
    func nestingElsewhere() {
        let text = "log:\n  " + String(repeating: "- ", count: 20_000) + "x"
        let blocks = configurationErrors(of: completedConfiguration(text)) ?? ""
        #expect(blocks.contains("nested more than 32 levels deep"))

        var chain = "a0: &a0 [x]\n"
        for level in 1...40 {
            chain += "a\(level): &a\(level) [*a\(level - 1)]\n"
        }
        let aliases = configurationErrors(of: completedConfiguration(chain)) ?? ""
        #expect(aliases.contains("nested more than 32 levels deep through this alias"))
    }

    @Test("cannot be larger than 1 MiB")
    func size() {
        let padding = String(repeating: "# padding\n", count: 110_000)
        #expect(configurationErrors(of: padding) == "1:1: this file cannot be read: it is larger than 1 MiB")
    }

    @Test("cannot be slow with many entries, unknown names or duplicate keys")
    func manyEntries() {
        let list = "log: [" + String(repeating: "x,", count: 120_000) + "]"
        let values = configurationErrors(of: completedConfiguration(list))
        #expect(values == "1:6: more than 100,000 values from here on, aliases counted each time they are used")

        let names = (0..<5_000).map { "n\($0)" }.joined(separator: ", ")
        let models = (0..<300).map { "{name: m\($0), deployments: [{endpoint: e, deployment: d}]}" }
        let text = """
            clients: [{name: a, api_keys: [aaaaaaaa], models: [\(names)]}]
            models: [\(models.joined(separator: ", "))]
            """
        #expect(configurationErrors(of: completedConfiguration(text))?.split(separator: "\n").count == 5_000)

        let mapping = "log: {" + String(repeating: "a: 1, ", count: 1_000) + "}"
        let duplicates = configurationErrors(of: completedConfiguration(mapping))
        #expect(duplicates == "1:199: this key is given more than once in the same mapping; keep one")
    }

    @Test(
        "cannot hold characters that are none of YAML's",
        arguments: [
            ("listen: \u{0}", "1:9: character U+0000 is not allowed here; remove it"),
            ("log:\r\n  level: \u{7}", "2:10: character U+0007 is not allowed here; remove it"),
            ("log: \u{F0001}", "1:6: character U+F0001 is not allowed here; remove it"),
            ("log: é\u{FEFF}", "1:7: character U+FEFF is not allowed here; remove it"),
        ]
    )
    func characters(text: String, error: String) {
        #expect(configurationErrors(of: text) == error)
    }

    @Test("cannot break an error over lines")
    func oneLineEach() {
        let errors = configurationErrors(of: completedConfiguration(#"listen: "a\nb\e[31m\u2028c""#)) ?? ""
        #expect(!errors.contains("\n"))
        #expect(errors.hasSuffix("found 'a?b?[31m?c'"))
    }
}
