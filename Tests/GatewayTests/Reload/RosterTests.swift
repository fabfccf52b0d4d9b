internal import Coordination
internal import Testing

@testable import Gateway

@Suite("Numbers of names")
struct RosterTests {
    private static func configuration(
        _ clients: [String],
        _ models: [String] = [],
        _ endpoints: [String] = []
    ) -> GatewayConfiguration {
        var configuration = GatewayConfiguration()
        configuration.clients = clients.map { .init(name: $0, apiKeys: [], models: .all) }
        configuration.models = models.map { .init(name: $0, deployments: []) }
        configuration.endpoints = endpoints.map {
            .init(name: $0, url: EndpointURL(scheme: .https, host: "\($0).example"))
        }
        return configuration
    }

    @Test("stay when a configuration moves, drops and adds names")
    func stay() {
        var roster = Roster()
        roster.add(Self.configuration(["a", "b"], ["x"], ["west", "east"]))
        roster.add(Self.configuration(["c", "b"], ["y", "x"], ["east"]))
        roster.add(Self.configuration(["a"], [], ["north", "west"]))
        #expect(roster.clients.names == ["a", "b", "c"])
        #expect(roster.models.names == ["x", "y"])
        #expect(roster.endpoints.names == ["west", "east", "north"])
        #expect(roster.clients["c"] == 2)
        #expect(roster.clients["d"] == nil)
    }

    @Test("let a snapshot route to configured endpoints only, in the order of its own file")
    func routes() throws {
        let first = try Snapshot(Self.configuration(["a"], [], ["west", "east"]), loops: 1, environment: [:])
        let second = try Snapshot(
            Self.configuration(["a"], [], ["north", "east"]),
            loops: 1,
            environment: [:],
            after: first
        )
        #expect(second.endpoints.map(\.name) == ["west", "east", "north"])
        #expect(second.endpoints.map(\.isConfigured) == [false, true, true])
        #expect(second.route(model: "any")?.deployments.map(\.endpoint) == [2, 1])
        #expect(second.route(model: "any")?.candidates.map(\.id.name) == ["north/any", "east/any"])
        #expect(first.route(model: "any")?.deployments.map(\.endpoint) == [0, 1])
    }
}
