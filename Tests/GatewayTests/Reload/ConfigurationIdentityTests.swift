internal import Testing

@testable import Gateway

@Suite("What a configuration is known by")
struct ConfigurationIdentityTests {
    private static let base = """
        listen: 127.0.0.1:1
        admin: 127.0.0.1:2
        clients: [{name: a, api_keys: [first-key], limits: {requests_per_minute: 5}}]
        endpoints: [{name: west, url: https://west.example, api_key: second-key}]

        """

    private static func read(_ text: String) throws -> GatewayConfiguration {
        try ConfigurationLoader.parse(text: text, file: "test", directory: "", environment: [:]) { _ in
            .failure(ConfigurationFileError(reason: "none"))
        }.get().configuration
    }

    @Test("is the same whatever the secrets, the addresses and the way it is written")
    func sameHash() throws {
        let base = try Self.read(Self.base)
        let other = try Self.read(
            """
            endpoints:
              - {url: "https://west.example", name: west, api_key: another-key}
            clients:
              - {api_keys: [rotated-key], name: a, limits: {requests_per_minute: 5}, priority: 5}
            listen: 0.0.0.0:80

            """
        )
        #expect(base.hash == other.hash)
        #expect(base.hash.count == 16)
    }

    @Test(
        "differs with every limit, name and key more",
        arguments: [
            ("requests_per_minute: 5", "requests_per_minute: 6"), ("name: a,", "name: b,"),
            ("[first-key]", "[first-key, third-key]"), ("west.example", "east.example"),
        ]
    )
    func otherHash(old: String, new: String) throws {
        let base = try Self.read(Self.base)
        #expect(try Self.read(Self.base.replacing(old, with: new)).hash != base.hash)
    }

    @Test(
        "says what needs a restart, and keeps it",
        arguments: [
            ("listen", "listen: 127.0.0.1:3\nadmin: 127.0.0.1:2"), ("admin", "listen: 127.0.0.1:1\nadmin: 127.0.0.1:3"),
            ("coordination", "coordination: {redis: \"redis://127.0.0.1:1\"}"),
            ("server.threads", "server: {threads: 2}"),
            ("log", "log: {level: debug}"), ("tls", "tls: {certificate: a, key: b}"),
        ]
    )
    func restart(key: String, text: String) throws {
        let running = try Self.read(Self.base)
        let kept = text.contains("listen") ? "" : "listen: 127.0.0.1:1\nadmin: 127.0.0.1:2\n"
        let rest = Self.base.split(separator: "\n").dropFirst(2).joined(separator: "\n")
            .replacing("requests_per_minute: 5", with: "requests_per_minute: 9")
        var new = try Self.read("\(kept)\(text)\n\(rest)\n")
        #expect(new.keepStart(of: running) == [key])
        #expect(new.clients[0].limits.requestsPerMinute == 9)
        new.clients = running.clients
        #expect(new == running)
    }
}
