/// The configuration file of a gateway under test.
struct GatewayConfigurationText {
    /// Lines of the `server` section.
    var server: [String] = []
    /// Lines of the endpoint, behind its name, URL and key.
    var endpoint: [String] = []
    /// Lines at the top level.
    var top: [String] = []
    var listen = "127.0.0.1:0"

    static let key = "key-of-team-a"
    static let otherKey = "key-of-team-b"
    static let upstreamKey = "key-of-the-upstream"

    /// `gpt-4o` is renamed on its way; `gpt-4o-mini` is only for team b.
    func text(upstreamPort: Int) -> String {
        let lines =
            ["listen: \(listen)", "admin: 127.0.0.1:0"] + top
            + (server.isEmpty ? [] : ["server:"] + server.map { "  " + $0 })
            + [
                "clients:",
                "  - {name: team-a, api_keys: [\(Self.key)], models: [gpt-4o, text-embedding-3-small, whisper]}",
                "  - {name: team-b, api_keys: [\(Self.otherKey)]}",
                "endpoints:",
                "  - name: west",
                "    url: http://127.0.0.1:\(upstreamPort)",
                "    api_key: \(Self.upstreamKey)",
            ] + endpoint.map { "    " + $0 }
            + [
                "models:",
                "  - {name: gpt-4o, deployments: [{endpoint: west, deployment: gpt-4o-west}]}",
                "  - {name: gpt-4o-mini, deployments: [{endpoint: west, deployment: gpt-4o-mini}]}",
                "  - {name: text-embedding-3-small, deployments: [{endpoint: west, deployment: embeddings}]}",
                "  - {name: whisper, deployments: [{endpoint: west, deployment: whisper}]}",
            ]
        return lines.joined(separator: "\n") + "\n"
    }
}
