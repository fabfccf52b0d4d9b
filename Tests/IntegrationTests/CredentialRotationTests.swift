internal import Foundation
internal import TestSupport
internal import Testing
internal import TokenMill

extension Integration {
    @Suite("The gateway's own tokens that rotate under load")
    struct CredentialRotationTests {
        /// A token service whose tokens live seconds, and which throttles every third request.
        private final class Service: Sendable {
            private struct State {
                var requests = 0
                var issued = 0
                var ends: [String: ContinuousClock.Instant] = [:]
            }

            let server: DocumentServer
            private let state = Shared(State())

            init(lifetime: Int) throws {
                let state = state
                server = try DocumentServer { _ in
                    var answer = DocumentServer.Answer.close
                    state.change { state in
                        state.requests += 1
                        guard state.requests % 3 != 2 else {
                            answer = .document(429, "{}", headers: [("retry-after", "1")])
                            return
                        }
                        let name = "t\(state.issued)"
                        state.issued += 1
                        state.ends[name] = .now + .seconds(lifetime)
                        answer = CredentialGatewayTests.token(name, lifetime: lifetime)
                    }
                    return answer
                }
            }

            var issued: Int { state.current.issued }

            func isGood(_ authorization: String?) -> Bool {
                guard let authorization, let end = state.current.ends[String(authorization.dropFirst(7))] else {
                    return false
                }
                return ContinuousClock.now < end
            }
        }

        /// Asks one request after the other on one connection until `end`, and counts what is no 200.
        static func load(_ gateways: [Gateway], for duration: Duration) throws -> (good: Int, bad: [String]) {
            let results = Shared((good: 0, bad: [String]()))
            let end = ContinuousClock.now + duration
            let done = DispatchGroup()
            for index in 0..<8 {
                let gateway = gateways[index % gateways.count]
                DispatchQueue.global().async(group: done) {
                    do {
                        let client = try gateway.connect()
                        while ContinuousClock.now < end {
                            let body = Array(
                                #"{"model":"gpt-4o","messages":[{"role":"user","content":"Hi"}],"max_tokens":5}"#.utf8
                            )
                            try client.request("POST", "/openai/v1/chat/completions", body: body)
                            let response = try client.response(to: "POST")
                            results.change {
                                if response.status == 200 { $0.good += 1 } else { $0.bad.append(response.text) }
                            }
                            usleep(2_000)
                        }
                    } catch {
                        results.change { $0.bad.append("\(error)") }
                    }
                }
            }
            done.wait()
            return results.current
        }

        @Test("no request fails at an upstream that refuses what has expired, with a service that throttles")
        func expiry() throws {
            let service = try Service(lifetime: 8)
            let strict = try ScriptedUpstream { connection in
                while true {
                    let isGood = service.isGood(try connection.readRequest().header("authorization"))
                    try connection.send("HTTP/1.1 \(isGood ? 200 : 401) X\r\ncontent-length: 2\r\n\r\n{}")
                }
            }
            let gateways = try (0..<2).map { _ in
                try Gateway(
                    file: CredentialGatewayTests.file("managed_identity: {}", [strict]),
                    upstream: strict,
                    environment: ["AZURE_POD_IDENTITY_AUTHORITY_HOST": service.server.base]
                )
            }
            for gateway in gateways {
                try wait(for: "the first token") { try gateway.metric("sluice_upstream_token") == 1 }
            }
            let (good, bad) = try Self.load(gateways, for: .seconds(5))
            #expect(bad.isEmpty, "\(bad.count) of \(good): \(bad.first ?? "")")
            #expect(good > 100)
            #expect(service.issued >= 4, "they rotated")
            let shown = Set(strict.requests.compactMap { $0.header("authorization") })
            #expect(shown.count >= 3)
        }

        @Test("no request of two gateways fails at mock-azure, which knows the tokens by name")
        func traffic() throws {
            let service = try Service(lifetime: 8)
            let upstream = try MockAzure(keys: (0..<50).map { "t\($0)" })
            let gateways = try (0..<2).map { _ in
                try Gateway(
                    file: CredentialGatewayTests.file("managed_identity: {}", [upstream]),
                    upstream: upstream,
                    environment: ["AZURE_POD_IDENTITY_AUTHORITY_HOST": service.server.base]
                )
            }
            for gateway in gateways {
                try wait(for: "the first token") { try gateway.metric("sluice_upstream_token") == 1 }
            }
            let (good, bad) = try Self.load(gateways, for: .seconds(4))
            #expect(bad.isEmpty, "\(bad.count) of \(good): \(bad.first ?? "")")
            #expect(good > 100)
            #expect(service.issued >= 4, "they rotated")
        }
    }
}
