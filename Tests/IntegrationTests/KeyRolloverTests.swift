internal import Foundation
internal import Glibc
internal import NIOHTTP1
internal import TestSupport
internal import Testing
internal import TokenMill

extension Integration {
    @Suite("Signing keys that roll over under load")
    struct KeyRolloverTests {
        typealias Known = TokenDraft.Known

        /// The gateway's clocks run so many times as fast (libfaketime), so that its hourly refresh comes every few seconds.
        private static let speed = 480

        /// A gateway whose clocks are fast, in front of it the process that keeps them, which would leave shared memory behind.
        private final class FastGateway {
            let gateway: Gateway

            init(_ file: String, _ upstream: any Upstream) throws {
                // Whatever becomes of this process, the gateway does not outlive the one that stands before it.
                let launcher =
                    ["/usr/bin/faketime", "-m", "-f", "+0 x\(speed)"] + ["/usr/bin/setpriv", "--pdeathsig", "KILL"]
                gateway = try Gateway(file: file, upstream: upstream, launcher: launcher)
            }

            deinit {
                let id = gateway.process.id
                let children = (try? String(contentsOfFile: "/proc/\(id)/task/\(id)/children", encoding: .utf8)) ?? ""
                for child in children.split(separator: " ").compactMap({ pid_t($0) }) { kill(child, SIGKILL) }
                _ = try? gateway.process.awaitExit()
            }
        }

        /// Callers that each show tokens of one key, one request after the other, until it is over.
        private final class Callers: Sendable {
            private let answers = Shared([String: [Int: Int]]())
            private let failures = Shared([String]())
            private let isOver = Shared(false)
            private let done = DispatchGroup()

            /// - Parameter token: called for each request: the same one again is remembered, another is checked.
            func begin(_ count: Int, of key: String, at gateway: Gateway, _ token: @escaping @Sendable () -> String) {
                for _ in 0..<count {
                    DispatchQueue.global().async(group: done) { [self] in
                        do {
                            let client = try gateway.connect()
                            while !isOver.current {
                                let field = "Authorization: Bearer \(token())"
                                try client.request("GET", "/openai/models", headers: [field], key: nil)
                                let status = try client.response().status
                                answers.change { $0[key, default: [:]][status, default: 0] += 1 }
                                usleep(2_000)
                            }
                        } catch {
                            failures.change { $0.append("\(key): \(error)") }
                        }
                    }
                }
            }

            /// By status.
            func answers(of key: String) -> [Int: Int] { answers.current[key] ?? [:] }

            func end() -> [String] {
                isOver.change { $0 = true }
                done.wait()
                return failures.current
            }
        }

        private let entra: EntraStandIn
        private let upstream: ScriptedUpstream

        init() throws {
            entra = try EntraStandIn(["a": .first])
            upstream = try ScriptedUpstream.answering()
        }

        private var file: String {
            """
            listen: 127.0.0.1:0
            admin: 127.0.0.1:0
            server: {request_head_timeout: 5m, idle_timeout: 1h}
            entra: [{tenant: \(Known.tenant), audiences: [\(Known.api)], authority: "\(entra.base)"}]
            clients: [{name: by-role, entra: {roles: [\(Known.role)]}}]
            endpoints:
              - name: west
                url: http://127.0.0.1:\(upstream.port)
                api_key: \(GatewayConfigurationText.upstreamKey)
                timeouts: {connect: 2m, first_byte: 1h, idle: 1h, total: 24h}

            """
        }

        /// Tokens of a key, every fourth of them new, that outlive the gateway's fast clocks.
        private func tokens(of keyID: String, _ key: SigningKey) -> @Sendable () -> String {
            let now = Int64(Date().timeIntervalSince1970)
            let draft = entra.good(now: now).with("exp", "\(now + 30 * 86_400)").header("kid", "\"\(keyID)\"")
            let state = Shared((count: 0, token: ""))
            return {
                var token = ""
                state.change { state in
                    if state.count % 4 == 0 {
                        state.token = draft.with("uti", "\"\(keyID)-\(state.count)\"").signed(by: key)
                    }
                    state.count += 1
                    token = state.token
                }
                return token
            }
        }

        private var documents: Int { entra.server.count("/\(Known.tenant)/discovery/v2.0/keys") }

        /// What the authority publishes from now on has been read by the gateway.
        private func publish(_ keys: [String: SigningKey]) throws {
            entra.serve(keys)
            let before = documents
            try wait(for: "the next refresh", until: .in(.seconds(60))) { documents > before }
        }

        private func ask(_ gateway: Gateway, _ path: String, _ token: String) throws -> Response {
            let client = try gateway.connect()
            try client.request("GET", path, headers: ["Authorization: Bearer \(token)"], key: nil)
            return try client.response()
        }

        @Test(
            "no token of a published key is refused, and a removed key stops at the next refresh",
            .enabled(if: Build.kind != .sanitized, "sanitizers do not live with a library that is loaded before them")
        )
        func rollover() throws {
            let fast = try FastGateway(file, upstream)
            let gateway = fast.gateway
            let (old, new) = (tokens(of: "a", .first), tokens(of: "b", .second))
            try wait(for: "the keys") { try gateway.metric("sluice_signing_keys") == 2 }
            let callers = Callers()
            callers.begin(4, of: "a", at: gateway, old)
            try wait(for: "the callers") { callers.answers(of: "a")[200] ?? 0 > 20 }

            // As Entra ID does it: the new key is published, signs later, and the old one goes later still.
            try publish(["a": .first, "b": .second])
            try wait(for: "four keys") { try gateway.metric("sluice_signing_keys") == 4 }
            callers.begin(4, of: "b", at: gateway, new)
            try wait(for: "the callers with new tokens") { callers.answers(of: "b")[200] ?? 0 > 100 }
            #expect(callers.answers(of: "a").keys.sorted() == [200], "\(callers.answers(of: "a"))")

            entra.serve(["b": .second])
            #expect(try ask(gateway, "/openai/still", old()).status == 200, "it is not asked about each request")
            try wait(for: "the refusal of what the removed key signed", until: .in(.seconds(60))) {
                try gateway.metric("sluice_signing_keys") == 2 && callers.answers(of: "a")[401] ?? 0 > 20
            }
            let refused = try ask(gateway, "/openai/gone", old())
            #expect(refused.status == 401)
            #expect(try gateway.accessLogLine(path: "/openai/gone")["error_reason"] as? String == "key_unknown")
            #expect(callers.end() == [])
            let (a, b) = (callers.answers(of: "a"), callers.answers(of: "b"))
            #expect(a.keys.sorted() == [200, 401], "\(a)")
            #expect(b.keys.sorted() == [200], "\(b)")
            #expect(try ask(gateway, "/openai/on", new()).status == 200)
        }
    }
}
