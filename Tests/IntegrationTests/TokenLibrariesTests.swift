internal import Foundation
internal import TestSupport
internal import Testing
internal import TokenMill

@testable internal import Gateway

extension Integration {
    @Suite("Other libraries' tokens")
    struct TokenLibrariesTests {
        private struct Sample: Decodable {
            let name: String
            let minter: String
            let token: String
            let verdicts: [String: Bool]
        }

        private struct Samples: Decodable {
            let tokens: [Sample]
        }

        @Test("of PyJWT, joserfc and jwcrypto are taken and refused as these themselves do")
        func agree() throws {
            let line = try Self.samples()
            let document = try #require(JSONSerialization.jsonObject(with: line) as? [String: Any])
            let keys = try JSONSerialization.data(withJSONObject: ["keys": document["keys"] as Any])
            let samples = try JSONDecoder().decode(Samples.self, from: line).tokens
            let authenticator = try Self.authenticator(keys: Array(keys))
            let hasher = KeyHasher()
            var taken = 0
            for sample in samples {
                let outcome = Array(sample.token.utf8).withUnsafeBytes {
                    authenticator.authenticate($0, digest: hasher.digest(of: $0), now: UnixTime.now())
                }
                var isTaken = false
                if case .identity = outcome { isTaken = true }
                if isTaken { taken += 1 }
                for (library, verdict) in sample.verdicts {
                    #expect(isTaken == verdict, "\(library) on \(sample.minter)'s token \(sample.name): \(outcome)")
                }
            }
            #expect(samples.count == 48)
            #expect(taken == 12)
        }

        @Test("of PyJWT, joserfc and jwcrypto are taken and refused by a running gateway as these themselves do")
        func agreeAtGateway() throws {
            let line = try Self.samples()
            let document = try #require(JSONSerialization.jsonObject(with: line) as? [String: Any])
            let keys = try JSONSerialization.data(withJSONObject: ["keys": document["keys"] as Any])
            let samples = try JSONDecoder().decode(Samples.self, from: line).tokens
            let tenant = "11111111-1111-1111-1111-111111111111"
            let authority = try DocumentServer { _ in .close }
            let base = authority.base
            authority.setScript { request in
                switch String(request.path) {
                case "/\(tenant)/v2.0/.well-known/openid-configuration":
                    let issuer = "https://login.microsoftonline.com/\(tenant)/v2.0"
                    return .document(200, "{\"issuer\":\"\(issuer)\",\"jwks_uri\":\"\(base)/keys\"}")
                case "/keys":
                    return .document(200, String(decoding: keys, as: UTF8.self))
                default:
                    return .document(404, "{}")
                }
            }
            let upstream = try ScriptedUpstream.answering()
            let gateway = try Gateway(
                file: """
                    listen: 127.0.0.1:0
                    admin: 127.0.0.1:0
                    entra: [{tenant: \(tenant), audiences: [22222222-2222-2222-2222-222222222222], authority: "\(base)"}]
                    clients:
                      - {name: team-a, entra: {roles: [sluice.team-a]}}
                    endpoints:
                      - {name: west, url: "http://127.0.0.1:\(upstream.port)", api_key: \(GatewayConfigurationText.upstreamKey)}

                    """,
                upstream: upstream
            )
            try wait(for: "the keys") { try gateway.metric("sluice_signing_keys", "version=\"2\"") == 3 }
            var taken = 0
            for sample in samples {
                let client = try gateway.connect()
                let field = "Authorization: Bearer \(sample.token)"
                try client.request("GET", "/openai/models", headers: [field], key: nil)
                let status = try client.response().status
                if status == 200 { taken += 1 }
                for (library, verdict) in sample.verdicts {
                    #expect(status == (verdict ? 200 : 401), "\(library) on \(sample.minter)'s token \(sample.name)")
                }
            }
            #expect(taken == 12)
            #expect(upstream.requests.count == 12)
            authority.close()
        }

        private static func authenticator(keys: [UInt8]) throws -> TokenAuthenticator {
            let tenant = EntraTenant(
                id: try #require(GUID("11111111-1111-1111-1111-111111111111")),
                audiences: ["22222222-2222-2222-2222-222222222222"],
                authority: .cloud(.public)
            )
            let metadata = """
                {"issuer":"https://login.microsoftonline.com/{tenantid}/v2.0","jwks_uri":"https://login.microsoftonline.com/keys"}
                """
            var standing = KeyView.Standing()
            standing.refreshableFrom = .max
            standing.set = try KeySet(
                keys,
                metadata: MetadataDocument(Array(metadata.utf8), tenant: tenant, version: .v2),
                tenant: tenant,
                earlier: nil
            )
            let view = KeyView(tenants: 1)
            view.update(KeySetID(tenant: 0, version: .v2), to: standing)
            let rule = ClientRule(roles: ["sluice.team-a"])
            return TokenAuthenticator(policy: TokenPolicy(tenants: [tenant], clients: [rule], epoch: 1), keys: view)
        }

        /// What the script prints.
        private static func samples() throws -> Data {
            let folder = try TemporaryFolder()
            let python = Build.checkout.appendingPathComponent(".venv/bin/python").path
            let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("python/token_libraries.py").path
            try #require(
                FileManager.default.isExecutableFile(atPath: python),
                "the Python packages of this test are not there; run `make test`, which installs them"
            )
            let process = try ChildProcess(python, [script], output: folder.url.appendingPathComponent("output"))
            #expect(try process.awaitExit(until: .in(.seconds(60))) == .exited(0), "\(process.printed.suffix(2_000))")
            return Data(try #require(process.printed.split(separator: "\n").last).utf8)
        }
    }
}
