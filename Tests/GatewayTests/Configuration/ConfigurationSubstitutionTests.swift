import Testing

@testable import Gateway

@Suite("A substitution")
struct ConfigurationSubstitutionTests {
    private let surroundings = ConfigurationSurroundings(
        directory: "/etc/sluice",
        environment: configurationEnvironment,
        readFile: readConfigurationFile
    )

    @Test(
        "takes variables and files anywhere in a value",
        arguments: [
            ("plain", "plain"),
            ("${KEY}", "from-the-environment"),
            ("a-${NUMBER}-b-${NUMBER}", "a-12-b-12"),
            ("${file:/run/secrets/key}", "from-a-file"),
            ("${file:keys/windows}!", "from-a-windows-file!"),
            ("${EMPTY}", ""),
            ("$${KEY}", "${KEY}"),
            ("$$${KEY}", "$${KEY}"),
            ("$KEY $$ $", "$KEY $$ $"),
            ("}${NUMBER}}", "}12}"),
            ("", ""),
        ]
    )
    func takes(text: String, expected: String) throws {
        #expect(try ConfigurationSubstitution(of: text, from: self.surroundings).text == expected)
    }

    @Test("is known to have happened, except for a literal")
    func isKnown() throws {
        #expect(try ConfigurationSubstitution(of: "a${EMPTY}", from: self.surroundings).isSubstituted)
        #expect(try !ConfigurationSubstitution(of: "$${KEY}", from: self.surroundings).isSubstituted)
    }

    @Test("removes one line end of a file, not more")
    func removesOneLineEnd() throws {
        let files = ConfigurationSurroundings(directory: "", environment: [:]) { _ in .success("key\n\n") }
        #expect(try ConfigurationSubstitution(of: "${file:x}", from: files).text == "key\n")
    }

    @Test("is not searched for more substitutions, nor read as YAML")
    func happensOnce() throws {
        let result = ConfigurationLoader.parse(
            text: completedConfiguration("clients: [{name: a, api_keys: [\"${OUTER}\"]}]"),
            file: "sluice.yaml",
            directory: "",
            environment: ["OUTER": "${INNER}]}#\"", "INNER": "inner"],
            readFile: readConfigurationFile
        )
        #expect(try result.get().configuration.clients.first?.apiKeys == [.plain(Secret("${INNER}]}#\""))])
    }

    @Test("resolves paths against the folder of the file unless they are absolute")
    func resolvesPaths() {
        #expect(self.surroundings.resolve(path: "keys/a") == "/etc/sluice/keys/a")
        #expect(self.surroundings.resolve(path: "/run/a") == "/run/a")
        for (directory, expected) in [("", "a"), (".", "a"), ("/", "/a"), ("conf", "conf/a")] {
            let surroundings = ConfigurationSurroundings(
                directory: directory,
                environment: [:],
                readFile: readConfigurationFile
            )
            #expect(surroundings.resolve(path: "a") == expected)
        }
    }
}
