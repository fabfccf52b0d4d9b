import Testing

@testable import Gateway

@Suite("A change of the configuration")
struct ConfigurationDifferenceTests {
    private static let old = """
        clients:
          - name: team-a
            api_keys: [aaaaaaaa, bbbbbbbb]
            models: [gpt-4o]
            limits: {requests_per_minute: 600, tokens_per_minute: 0}
            model_limits: {gpt-4o: {tokens_per_minute: 20k}}
          - {name: my_team, api_keys: [cccccccc], priority: 3}
        endpoints: [{name: sweden, url: "https://h", api_key: aaaaaaaa}, {name: east, url: "https://i"}]
        models:
          - name: gpt-4o
            deployments:
              - {endpoint: sweden, deployment: ptu, kind: provisioned, non_streaming_fraction: 0.2}
              - {endpoint: sweden, tier: 2, limits: {tokens_per_minute: 450k}}
        """

    private func changes(_ edits: [(String, String)], adding more: String = "") throws -> String {
        let new = edits.reduce(Self.old) { text, edit in text.replacing(edit.0, with: edit.1) } + "\n" + more
        return try parseConfiguration(Self.old).get().changes(to: parseConfiguration(new).get())
    }

    @Test("is none between a file and itself")
    func none() throws {
        #expect(try self.changes([]) == "No change.\n")
        #expect(try self.changes([("20k", "20000"), ("600", "0.6k")], adding: "log: {level: info}") == "No change.\n")
    }

    @Test(
        "is said in words",
        arguments: [
            ("20k", "30k", "clients:\n  team-a: gpt-4o 20k -> 30k tokens per minute\n"),
            ("tokens_per_minute: 0", "tokens_per_minute: 1", "clients:\n  team-a: blocked -> 1 tokens per minute\n"),
            ("requests_per_minute: 600, ", "", "clients:\n  team-a: 600 -> no limit requests per minute\n"),
            ("bbbbbbbb", "dddddddd", "clients:\n  team-a: api keys 1 added, 1 removed\n"),
            ("models: [gpt-4o]", "models: '*'", "clients:\n  team-a: models gpt-4o -> *\n"),
            ("my_team", "team_b", "clients:\n  my_team: removed\n  team_b: added\n"),
            ("priority: 3", "priority: 4", "clients:\n  my_team: priority 3 -> 4\n"),
            ("api_key: aaaaaaaa", "api_key: bbbbbbbb", "endpoints:\n  sweden: api key changed\n"),
            ("https://i", "https://j", "endpoints:\n  east: url https://i -> https://j\n"),
            ("0.2", "0.3", "models:\n  gpt-4o: ptu of sweden non streaming fraction 0.2 -> 0.3\n"),
            ("450k", "0", "models:\n  gpt-4o: gpt-4o of sweden 450k -> blocked tokens per minute\n"),
        ]
    )
    func words(old: String, new: String, expected: String) throws {
        #expect(try self.changes([(old, new)]) == expected)
    }

    @Test("of a whole section says what is not by default")
    func sections() throws {
        #expect(
            try self.changes(
                [],
                adding: "coordination: {redis: \"redis://h\", password: topsecret}\nserver: {drain: {grace: 1s}}"
            )
                == """
                server:
                  drain: grace 25s -> 1s

                coordination:
                  redis none -> redis://h:6379
                  password none -> [secret]

                """
        )
    }

    @Test("of the order of endpoints is a change")
    func order() throws {
        let sweden = "{name: sweden, url: \"https://h\", api_key: aaaaaaaa}"
        let east = "{name: east, url: \"https://i\"}"
        #expect(
            try self.changes([("\(sweden), \(east)", "\(east), \(sweden)")])
                == "endpoints:\n  order sweden, east -> east, sweden\n"
        )
    }
}
