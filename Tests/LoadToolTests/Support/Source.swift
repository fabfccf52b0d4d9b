@testable import LoadTool

/// Files that are not there, but in a test.
func source(_ files: [String: String] = [:], environment: [String: String] = [:]) -> ScenarioSource {
    ScenarioSource(
        read: { path throws(ScenarioError) in
            guard let text = files[path] else { throw ScenarioError("cannot read \(path)") }
            return text
        },
        folder: "",
        environment: environment
    )
}

/// A scenario with nothing but what must be there, and the lines given.
func scenario(_ lines: String = "", load: String = "open: {phases: [{rate: 10, for: 5s}]}") throws -> Scenario {
    try Scenario.read(
        """
        load: {\(load)}
        clients: [{name: a, key: k}]
        requests: [{model: m}]
        \(lines)
        """,
        file: "x.yaml",
        from: source()
    )
}
