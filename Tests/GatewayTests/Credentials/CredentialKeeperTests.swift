import Foundation
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import TestSupport
import Testing
import TokenMill
import Transport

@testable import Gateway

@Suite("The keeper of an upstream token", .timeLimit(.minutes(2)))
struct CredentialKeeperTests {
    static let resource = "https://cognitiveservices.azure.com"

    /// A keeper on one event loop, and a view on another.
    final class World: @unchecked Sendable {  // its parts are touched on their loops only
        private let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        private let loops: [any EventLoop]
        private let transfers: TransferLoop
        private let keeper: CredentialKeeper
        private let view = CredentialView()

        init(_ settings: CredentialKeeper.Settings) async throws {
            let loops = Array(group.makeIterator()) as [any EventLoop]
            self.loops = loops
            (transfers, keeper) = try await loops[0].submit {
                let transfers = try TransferLoop(eventLoop: loops[0], maxConnections: 4)
                var logger = Logger(label: "test")
                logger.logLevel = .critical
                return (transfers, CredentialKeeper(settings, transfers: transfers, logger: logger))
            }.get()
            try await loops[1].submit { self.keeper.show(self.view, on: loops[1]) }.get()
            try await loops[0].submit { self.keeper.start() }.get()
        }

        func stop() async throws {
            try await loops[0].submit {
                self.keeper.stop()
                self.transfers.shutdown()
            }.get()
            try await group.shutdownGracefully()
        }

        var current: CredentialView.Current {
            get async throws { try await loops[1].submit { self.view.current }.get() }
        }

        /// As an exchange asks that needs a token.
        func wait() async throws -> CredentialView.Current {
            let promise = loops[1].makePromise(of: CredentialView.Current.self)
            loops[1].execute {
                guard self.view.current == .pending else { return promise.succeed(self.view.current) }
                if self.view.wait(tell: { promise.succeed($0) }) == nil { promise.succeed(.unavailable) }
            }
            return try await promise.futureResult.get()
        }

        func refused(_ authorization: String) async throws {
            try await loops[1].submit { _ = self.view.renew(authorization) { _ in } }.get()
        }

        /// As an exchange asks whose token was refused; `nil` when too many ask.
        func renewed(_ authorization: String) async throws -> CredentialView.Current? {
            let promise = loops[1].makePromise(of: CredentialView.Current?.self)
            loops[1].execute {
                if self.view.renew(authorization, tell: { promise.succeed($0) }) == nil { promise.succeed(nil) }
            }
            return try await promise.futureResult.get()
        }
    }

    private func withWorld(
        _ source: CredentialSource,
        at server: DocumentServer,
        _ body: (World) async throws -> Void
    ) async throws {
        var settings = CredentialKeeper.Settings(source: source, resource: Self.resource)
        settings.instanceMetadataBase = server.base
        let world = try await World(settings)
        do {
            try await body(world)
        } catch {
            try await world.stop()
            try await server.stop()
            throw error
        }
        try await world.stop()
        try await server.stop()
    }

    private static func token(_ name: String, lifetime: Int = 3600) -> DocumentServer.Answer {
        .document(200, "{\"access_token\":\"\(name)\",\"expires_in\":\"\(lifetime)\",\"token_type\":\"Bearer\"}")
    }

    private static let managed = CredentialSource.managedIdentity(ManagedIdentity(service: .instanceMetadata))

    @Test("gets one from instance metadata, once for all who wait")
    func instanceMetadata() async throws {
        let server = try await DocumentServer.start { _ in
            .held(200, "{\"access_token\":\"t\",\"expires_in\":\"3600\"}")
        }
        try await withWorld(Self.managed, at: server) { world in
            try await withThrowingTaskGroup(of: CredentialView.Current.self) { group in
                for _ in 0..<50 { group.addTask { try await world.wait() } }
                try await eventually("it is asked") { server.requests.count == 1 }
                server.release()
                for try await current in group { #expect(current == .authorization("Bearer t")) }
            }
            let request = try #require(server.requests.first)
            #expect(request.headers["Metadata"] == ["true"])
            #expect(request.headers["X-Forwarded-For"].isEmpty)
            #expect(request.target.contains("resource=https%3A%2F%2Fcognitiveservices.azure.com"))
            #expect(server.requests.count == 1)
        }
    }

    @Test("gets one from App Service and Container Apps")
    func platform() async throws {
        let server = try await DocumentServer.start { request in
            request.headers["X-IDENTITY-HEADER"] == ["secret"] && request.path == "/msi/token"
                ? .document(
                    200,
                    "{\"access_token\":\"t\",\"expires_on\":\"\(UnixTime.now() + 3600)\",\"token_type\":\"Bearer\"}"
                )
                : .document(401, "{}")
        }
        let identity = ManagedIdentity(
            service: .platform(endpoint: "\(server.base)/msi/token", header: Secret("secret")),
            clientID: "c"
        )
        try await withWorld(.managedIdentity(identity), at: server) { world in
            let current = try await world.wait()
            #expect(current == .authorization("Bearer t"))
            #expect(server.requests.first?.target.hasSuffix("&client_id=c") == true)
        }
    }

    @Test("exchanges a federated token, and reads its file again for the next")
    func workload() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sluice-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("token")
        try "first.assertion\n".write(to: file, atomically: true, encoding: .utf8)
        let server = try await DocumentServer.start { request in
            let assertion = request.body.split(separator: "client_assertion=").last ?? ""
            return Self.token("for-\(assertion)")
        }
        let identity = WorkloadIdentity(authority: server.base, tenant: "t", clientID: "c", tokenFile: file.path)
        try await withWorld(.workloadIdentity(identity), at: server) { world in
            #expect(try await world.wait() == .authorization("Bearer for-first.assertion"))
            try "second.assertion".write(to: file, atomically: true, encoding: .utf8)
            try await world.refused("Bearer for-first.assertion")
            try await eventually("the new one is served") {
                try await world.current == .authorization("Bearer for-second.assertion")
            }
            let request = try #require(server.requests.first)
            #expect(request.method == .POST)
            #expect(request.path == "/t/oauth2/v2.0/token")
            #expect(request.headers["Content-Type"] == ["application/x-www-form-urlencoded"])
        }
    }

    @Test(
        "says that there is none when the federated token cannot be read",
        arguments: ["", "two\nlines", "a b", "\u{E9}"]
    )
    func noFile(content: String) async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("sluice-\(UUID().uuidString)")
        if !content.isEmpty { try content.write(to: file, atomically: true, encoding: .utf8) }
        defer { try? FileManager.default.removeItem(at: file) }
        let server = try await DocumentServer.start { _ in Self.token("t") }
        let identity = WorkloadIdentity(authority: server.base, tenant: "t", clientID: "c", tokenFile: file.path)
        try await withWorld(.workloadIdentity(identity), at: server) { world in
            try await eventually("it is unavailable") { try await world.current == .unavailable }
            #expect(server.requests.isEmpty)
        }
    }

    @Test("sends a client secret in the body")
    func secret() async throws {
        let server = try await DocumentServer.start { request in
            request.body.hasSuffix("&client_secret=s%26") ? Self.token("t") : .document(401, "{}")
        }
        let secret = ClientSecret(authority: server.base, tenant: "t", clientID: "c", secret: Secret("s&"))
        try await withWorld(.clientSecret(secret), at: server) { world in
            let current = try await world.wait()
            #expect(current == .authorization("Bearer t"))
        }
    }

    static let troubles: [DocumentServer.Answer] = [
        .close, .document(500, "{}"), .document(429, "{}", headers: [("retry-after", "1")]), .document(404, "{}"),
        .document(200, "<html>"), .document(200, ""), .document(302, "", headers: [("location", "/elsewhere")]),
        .document(200, String(repeating: " ", count: 100_000)),
    ]

    @Test(
        "asks again when the service fails, and tells those who wait that there is none yet",
        arguments: troubles.indices
    )
    func trouble(index: Int) async throws {
        let server = try await DocumentServer.start { _ in Self.troubles[index] }
        try await withWorld(Self.managed, at: server) { world in
            #expect(try await world.wait() == .unavailable)
            server.setScript { _ in Self.token("t") }
            // 302 is somebody's mistake, for which it waits a minute.
            if index != 6 {
                try await eventually("it recovers") { try await world.current == .authorization("Bearer t") }
            }
            #expect(server.count("/elsewhere") == 0)
        }
    }

    @Test("renews a token in the background before it ends, and serves the old one meanwhile")
    func rotation() async throws {
        let server = try await DocumentServer.start { _ in Self.token("first", lifetime: 4) }
        try await withWorld(Self.managed, at: server) { world in
            #expect(try await world.wait() == .authorization("Bearer first"))
            server.setScript { _ in .held(200, "{\"access_token\":\"second\",\"expires_in\":3600}") }
            try await eventually("it asks for the next") { server.requests.count == 2 }
            #expect(try await world.current == .authorization("Bearer first"))
            server.release()
            try await eventually("the next is served") { try await world.current == .authorization("Bearer second") }
        }
    }

    @Test("stops serving a token that has come to its end")
    func expiry() async throws {
        let server = try await DocumentServer.start { _ in Self.token("only", lifetime: 3) }
        try await withWorld(Self.managed, at: server) { world in
            #expect(try await world.wait() == .authorization("Bearer only"))
            server.setScript { _ in .document(400, "{}") }
            try await eventually("it is unavailable") { try await world.current == .unavailable }
        }
    }

    @Test("asks once when the upstream refuses a token many times")
    func refused() async throws {
        let server = try await DocumentServer.start { _ in Self.token("t") }
        try await withWorld(Self.managed, at: server) { world in
            #expect(try await world.wait() == .authorization("Bearer t"))
            for _ in 0..<100 { try await world.refused("Bearer t") }
            try await eventually("it asks") { server.requests.count == 2 }
            for _ in 0..<100 { try await world.refused("Bearer t") }
            #expect(server.requests.count == 2)
            #expect(try await world.current == .authorization("Bearer t"))
        }
    }

    @Test("tells who waits for another token what came of it: another, the same, or that none was asked for")
    func renewed() async throws {
        let server = try await DocumentServer.start { _ in Self.token("a") }
        try await withWorld(Self.managed, at: server) { world in
            let first = try await world.wait()
            #expect(first == .authorization("Bearer a"))
            server.setScript { _ in Self.token("b") }
            let second = try await world.renewed("Bearer a")
            #expect(second == .authorization("Bearer b"))
            #expect(server.requests.count == 2)
            // Refused again within a minute: nobody is asked, and nobody waits.
            let third = try await world.renewed("Bearer b")
            #expect(third == .authorization("Bearer b"))
            // Whoever still had the first one.
            let fourth = try await world.renewed("Bearer a")
            #expect(fourth == .authorization("Bearer b"))
            #expect(server.requests.count == 2)
        }
    }

    @Test("tells who waits for another token that the service failed, and goes on with the old one")
    func renewalFails() async throws {
        let server = try await DocumentServer.start { _ in Self.token("a") }
        try await withWorld(Self.managed, at: server) { world in
            let first = try await world.wait()
            #expect(first == .authorization("Bearer a"))
            server.setScript { _ in .document(500, "{}") }
            let kept = try await world.renewed("Bearer a")
            #expect(kept == .authorization("Bearer a"))
        }
    }

    @Test("is not needed for a key")
    func apiKey() { #expect(CredentialView(apiKey: Secret("k")).current == .apiKey("k")) }
}
