internal import Foundation
internal import NIOHTTP1
internal import TestSupport
internal import Testing
internal import TokenMill

extension Integration {
    @Suite("An application's secret at a running gateway")
    struct ClientSecretTests {
        private static let tenant = "aaaaaaaa-0000-0000-0000-00000000000a"
        private static let application = "bbbbbbbb-0000-0000-0000-00000000000b"
        private static let (first, second) = ("first~secret.of/the+app", "second~secret=of&the%app")

        /// A token endpoint as Entra ID's: it takes some secrets, and its tokens end.
        private final class TokenEndpoint: Sendable {
            private struct State {
                var secrets: Set<String>
                var lifetime: Int
                var throttles = false
                var requests = 0
                var refused = 0
                var throttled = 0
                var lastThrottled: ContinuousClock.Instant?
                var ends: [String: ContinuousClock.Instant] = [:]
                /// By the secret that they were got with.
                var issued: [String: Int] = [:]
            }

            let server: DocumentServer
            private let state: Shared<State>

            /// - Parameters:
            ///   - lifetime: of its tokens, in seconds.
            ///   - throttles: every third request is answered 429, but nobody who has waited as told.
            init(taking secrets: Set<String>, lifetime: Int = 3600, throttles: Bool = false) throws {
                let state = Shared(State(secrets: secrets, lifetime: lifetime, throttles: throttles))
                self.state = state
                server = try DocumentServer { request in
                    var answer = DocumentServer.Answer.close
                    state.change { answer = Self.answer(to: request, &$0) }
                    return answer
                }
            }

            private static func answer(
                to request: DocumentServer.Request,
                _ state: inout State
            ) -> DocumentServer.Answer {
                guard request.method == .POST, request.path == "/\(tenant)/oauth2/v2.0/token" else {
                    return .document(404, "{}")
                }
                state.requests += 1
                let mayThrottle = state.lastThrottled.map { $0.duration(to: .now) > .milliseconds(2500) } ?? true
                if state.throttles, mayThrottle, state.requests % 3 == 2 {
                    state.throttled += 1
                    state.lastThrottled = .now
                    return .document(429, "{}", headers: [("retry-after", "1")])
                }
                let form = URLComponents(string: "?\(request.body)")?.queryItems ?? []
                let fields = Dictionary(form.map { ($0.name, $0.value ?? "") }, uniquingKeysWith: { first, _ in first })
                guard fields["grant_type"] == "client_credentials", fields["client_id"] == application,
                    fields["scope"] == "https://cognitiveservices.azure.com/.default", fields.count == 4,
                    let secret = fields["client_secret"], state.secrets.contains(secret)
                else {
                    state.refused += 1
                    return .document(401, #"{"error":"invalid_client","error_description":"AADSTS7000215"}"#)
                }
                let name = "t\(state.ends.count)"
                state.ends[name] = .now + .seconds(state.lifetime)
                state.issued[secret, default: 0] += 1
                return CredentialGatewayTests.token(name, lifetime: state.lifetime)
            }

            func take(_ secrets: Set<String>) { state.change { $0.secrets = secrets } }

            var requests: Int { state.current.requests }
            var refused: Int { state.current.refused }
            var throttled: Int { state.current.throttled }
            func issued(for secret: String) -> Int { state.current.issued[secret] ?? 0 }

            func isGood(_ authorization: String?) -> Bool {
                guard let authorization, let end = state.current.ends[String(authorization.dropFirst(7))] else {
                    return false
                }
                return ContinuousClock.now < end
            }
        }

        private let folder: TemporaryFolder
        private var secretFile: String { folder.url.appendingPathComponent("secret").path }

        init() throws {
            folder = try TemporaryFolder()
            try mount(Self.first)
        }

        private func mount(_ secret: String) throws { _ = try folder.write(secret + "\n", to: "secret") }

        private func file(_ endpoint: TokenEndpoint, _ upstream: any Upstream) -> String {
            let secret = """
                client_secret: {tenant: \(Self.tenant), client_id: \(Self.application), \
                secret: "${file:\(secretFile)}", authority: "\(endpoint.server.base)"}
                """
            return CredentialGatewayTests.file(secret, [upstream])
        }

        private func gateway(_ endpoint: TokenEndpoint, _ upstream: any Upstream) throws -> Gateway {
            try Gateway(file: file(endpoint, upstream), upstream: upstream)
        }

        private static func ask(_ gateway: Gateway) throws -> Response {
            let client = try gateway.connect()
            try client.request(
                "POST",
                "/openai/v1/chat/completions",
                body: Array(#"{"model":"gpt-4o","messages":[]}"#.utf8)
            )
            return try client.response(to: "POST")
        }

        private static func awaitReloads(_ count: Int, _ gateway: Gateway) throws {
            try wait(for: "reload \(count)") {
                try gateway.metric("sluice_configuration_reloads_total", "taken_up") == count
            }
        }

        /// An upstream that takes no token but those of the endpoint that have not ended.
        private static func strict(_ endpoint: TokenEndpoint) throws -> ScriptedUpstream {
            try ScriptedUpstream { connection in
                while true {
                    let isGood = endpoint.isGood(try connection.readRequest().header("authorization"))
                    try connection.send("HTTP/1.1 \(isGood ? 200 : 401) X\r\ncontent-length: 2\r\n\r\n{}")
                }
            }
        }

        @Test("gets one token for all event loops, and is shown to nobody but the token endpoint")
        func acquisition() throws {
            let endpoint = try TokenEndpoint(taking: [Self.first])
            let upstream = try Self.strict(endpoint)
            let gateway = try gateway(endpoint, upstream)
            for _ in 0..<4 { #expect(try Self.ask(gateway).status == 200) }
            #expect(upstream.requests.allSatisfy { $0.values("authorization") == ["Bearer t0"] })
            #expect(upstream.requests.allSatisfy { $0.header("api-key") == nil })
            #expect(endpoint.requests == 1)
            #expect(try gateway.metric("sluice_upstream_token", "endpoint=\"e0\"") == 1)
            let status = try gateway.admin("/status").text
            for shown in [gateway.process.printed, status] { #expect(!shown.contains("first~secret")) }
            #expect(!endpoint.server.requests[0].target.contains("secret"))
        }

        @Test("fails no request while it is changed under load, with tokens that end and an endpoint that throttles")
        func rotation() throws {
            let endpoint = try TokenEndpoint(taking: [Self.first, Self.second], lifetime: 8, throttles: true)
            let upstream = try Self.strict(endpoint)
            let gateways = try (0..<2).map { _ in try gateway(endpoint, upstream) }
            for gateway in gateways {
                try wait(for: "the first token") { try gateway.metric("sluice_upstream_token") == 1 }
            }
            let rotated = Shared<Result<Void, any Error>?>(nil)
            DispatchQueue.global().async {
                let result = Result {
                    try mount(Self.second)
                    for gateway in gateways { try Self.awaitReloads(1, gateway) }
                    endpoint.take([Self.second])
                }
                rotated.change { $0 = result }
            }
            let (good, bad) = try CredentialRotationTests.load(gateways, for: .seconds(8))
            try #require(rotated.current).get()
            #expect(bad.isEmpty, "\(bad.count) of \(good): \(bad.first ?? "")")
            #expect(good > 100)
            #expect(endpoint.issued(for: Self.first) >= 2)
            #expect(endpoint.issued(for: Self.second) >= 2, "they rotated")
            #expect(endpoint.throttled >= 1)
            #expect(endpoint.refused == 0)
        }

        @Test(
            "that is wrong gives no token and is not tried again at once; the right one counts as soon as it is mounted"
        )
        func wrong() throws {
            let endpoint = try TokenEndpoint(taking: [Self.second])
            let gateway = try gateway(endpoint, Self.strict(endpoint))
            for _ in 0..<3 {
                let response = try Self.ask(gateway)
                #expect(response.status == 503)
                #expect(response.errorCode == "UpstreamTokenUnavailable")
            }
            #expect(endpoint.requests == 1)
            #expect(gateway.process.printed.contains("status_401"))
            #expect(try gateway.metric("sluice_upstream_token", "endpoint=\"e0\"") == 0)
            try mount(Self.second)
            try Self.awaitReloads(1, gateway)
            #expect(try Self.ask(gateway).status == 200)
            #expect(endpoint.requests == 2)
        }

        @Test("that is wrong leaves the token of the one before, as long as that lives")
        func wrongLater() throws {
            let endpoint = try TokenEndpoint(taking: [Self.first])
            let upstream = try Self.strict(endpoint)
            let gateway = try gateway(endpoint, upstream)
            #expect(try Self.ask(gateway).status == 200)
            try mount("another-secret")
            try Self.awaitReloads(1, gateway)
            try wait(for: "the endpoint's refusal") { endpoint.refused == 1 }
            try wait(for: "word of it") { gateway.process.printed.contains("status_401") }
            #expect(try Self.ask(gateway).status == 200)
            #expect(upstream.requests.last?.header("authorization") == "Bearer t0")
            try mount(Self.first)
            try Self.awaitReloads(2, gateway)
            try wait(for: "another token") { endpoint.issued(for: Self.first) == 2 }
            try wait(for: "it to be shown") {
                _ = try Self.ask(gateway)
                return upstream.requests.last?.header("authorization") == "Bearer t1"
            }
            #expect(endpoint.requests == 3)
        }

        @Test("is not shown again before an endpoint that throttles has said so")
        func throttled() throws {
            let endpoint = try TokenEndpoint(taking: [Self.first])
            let isThrottling = Shared(true)
            let asked = Shared([ContinuousClock.Instant]())
            endpoint.server.setScript { _ in
                asked.change { $0.append(.now) }
                return isThrottling.current
                    ? .document(429, "{}", headers: [("retry-after", "3")]) : CredentialGatewayTests.token("t")
            }
            let upstream = try ScriptedUpstream.answering()
            let gateway = try gateway(endpoint, upstream)
            #expect(try Self.ask(gateway).status == 503)
            isThrottling.change { $0 = false }
            try wait(for: "the token") { try Self.ask(gateway).status == 200 }
            let times = asked.current
            #expect(times.count == 2)
            #expect(times[0].duration(to: times[1]) >= .milliseconds(2900))
            #expect(upstream.requests.last?.header("authorization") == "Bearer t")
        }
    }
}
