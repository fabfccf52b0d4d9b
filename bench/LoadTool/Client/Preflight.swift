internal import NIOCore

/// Looks, before any load, whether the targets are there and take the keys.
///
/// It sends a GET where the load will send a POST: a server that knows the key answers it without serving anything.
struct Preflight: Sendable {
    /// A file may have a hundred thousand keys; the first of each client tells enough.
    private static let maximumClients = 100

    let probe: HTTPProbe
    let factory: RequestFactory

    func check() async throws(ScenarioError) {
        for target in factory.scenario.targets {
            for client in factory.scenario.clients.prefix(Self.maximumClients) { try await check(target, client) }
        }
    }

    private func check(_ target: HTTPAddress, _ client: Scenario.Client) async throws(ScenarioError) {
        let answer: HTTPProbe.Answer
        do throws(HTTPProbe.Failure) {
            answer = try await probe.get(path, from: target, headers: client.credentials[0])
        } catch {
            throw ScenarioError("the target \(target.name) cannot be used: \(error)")
        }
        switch answer.status {
        case 401:
            throw ScenarioError("the target \(target.name) does not know the key of client '\(client.name)' (401)")
        case 403:
            throw ScenarioError("the target \(target.name) does not allow client '\(client.name)' this model (403)")
        default: return
        }
    }

    private var path: String {
        let kind = factory.scenario.requests[0]
        switch kind.content {
        case .fixed(let path, _): return RequestKind.path(path, model: kind.model)
        case .chat, .recorded: return RequestKind.path(kind.path, model: factory.models[0])
        }
    }
}
