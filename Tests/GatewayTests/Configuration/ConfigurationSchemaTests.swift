import Testing

@testable import Gateway

@Suite("The description of the configuration's format")
struct ConfigurationSchemaTests {
    /// The example with everything that it leaves out.
    private static let example: String = {
        let lines = repositoryFile("config/sluice.example.yaml").split(
            separator: "\n",
            omittingEmptySubsequences: false
        )
        return lines.map { line in
            let indentation = line.prefix { $0 == " " }
            let rest = line.dropFirst(indentation.count)
            // "#key" and "#  key" are keys that are left out, "# text" is a comment.
            let isLeftOut = rest.hasPrefix("#") && (!rest.hasPrefix("# ") || rest.hasPrefix("#  ")) && rest != "#"
            return isLeftOut ? String(indentation + rest.dropFirst()) : String(line)
        }.joined(separator: "\n")
    }()

    private static let environment = [
        "TEAM_A_KEY": "aaaaaaaa", "TEAM_B_KEY": "bbbbbbbb", "SWEDEN_KEY": "cccccccc", "REDIS_PASSWORD": "topsecret",
    ]

    private static func parse(_ text: String) -> Result<LoadedConfiguration, ConfigurationErrors> {
        ConfigurationLoader.parse(
            text: text,
            file: "sluice.yaml",
            directory: "",
            environment: Self.environment,
            readFile: readConfigurationFile
        )
    }

    /// Every key of the format with its path.
    private static var keys: [ConfigurationOutline.Key] {
        func keys(_ outline: ConfigurationOutline) -> [ConfigurationOutline.Key] {
            outline.shapes.flatMap { shape -> [ConfigurationOutline.Key] in
                switch shape {
                case .text: []
                case .list(let entry, _): keys(entry)
                case .dictionary(let value): keys(value)
                case .mapping(let mapping): mapping.keys.flatMap { [$0] + keys($0.value) }
                }
            }
        }
        return keys(ConfigurationSchema.outline())
    }

    @Test("is in the repository as the code makes it; `make schema` writes it anew")
    func files() {
        #expect(repositoryFile("config/sluice.schema.json") == ConfigurationSchema.json())
        #expect(repositoryFile("docs/configuration-reference.md") == ConfigurationReference.markdown())
    }

    @Test("says of every key what it is for and what it takes")
    func complete() {
        #expect(Self.keys.count > 100)
        for key in Self.keys {
            #expect(!key.about.isEmpty, "\(key.path)")
            #expect(key.about.hasSuffix("."), "\(key.path)")
            #expect(!key.value.shapes.isEmpty, "\(key.path)")
        }
    }

    @Test("is met by an example that shows every key")
    func exampleShowsEveryKey() {
        for name in Set(Self.keys.map(\.name)) {
            #expect(Self.example.contains("\(name):"), "\(name)")
        }
    }

    @Test("is written out and read back to the same, with everything set")
    func roundTrip() throws {
        let loaded = try Self.parse(Self.example).get()
        #expect(try Self.parse(loaded.nativeText()).get() == loaded)
        #expect(loaded.configuration.sinks.count == 4)
        #expect(loaded.configuration.entra.count == 1)

        let minimal = try Self.parse(completedConfiguration("")).get()
        #expect(
            minimal.nativeText() == """
                clients:
                  - name: a
                    api_keys: [aaaaaaaa]

                endpoints:
                  - {name: e, url: https://h}

                """
        )
        #expect(try Self.parse(minimal.nativeText()).get() == minimal)
    }

    @Test("is written out so that no value can be taken for YAML")
    func quoting() throws {
        let texts = [
            "a: b", "#a", "null", "a b", "${KEY}", "$${", "*", "&a", "é", "\"", "\\", "true", "- a", "a:", "", "x{y}z",
        ]
        for text in texts where !text.isEmpty {
            var configuration = try parseConfiguration(completedConfiguration("")).get()
            configuration.tls = .init(certificate: "/\(text)", key: text)
            let written = LoadedConfiguration(configuration: configuration).nativeText()
            #expect(try Self.parse(written).get().configuration == configuration, "\(text)")
        }
    }
}
