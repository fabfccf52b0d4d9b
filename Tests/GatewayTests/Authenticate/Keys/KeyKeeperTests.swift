import NIOCore
import NIOHTTP1
import Synchronization
import TestSupport
import Testing
import TokenMill

@testable import Gateway

@Suite("The keeper of keys", .timeLimit(.minutes(2)))
struct KeyKeeperTests {
    typealias Known = TokenDraft.Known

    private func withWorld(
        _ keys: [String: SigningKey] = ["a": .first],
        times: KeyRingTimes = .quick,
        shared: (any SharedKeyStore)? = nil,
        before: (DocumentServer) -> Void = { _ in },
        run body: (DocumentServer, KeyWorld) async throws -> Void
    ) async throws {
        let server = try await Authority.start(keys)
        before(server)
        let world = try await KeyWorld.start(tenant: Authority.tenant(server), times: times, shared: shared)
        do {
            try await body(server, world)
        } catch {
            try await world.stop()
            try await server.stop()
            throw error
        }
        try await world.stop()
        try await server.stop()
    }

    @Test("fetches the keys of both versions at the start, and lets tokens in")
    func start() async throws {
        try await withWorld(times: .slow) { server, world in
            let isFirstTaken = try await world.passes(server.token(keyID: "a", .first))
            #expect(isFirstTaken)
            let version1 = TokenDraft.application.version1.with("iss", "\"\(server.base)/\(Known.tenant)/\"")
                .header("kid", "\"a\"").signed()
            let isOldTaken = try await world.passes(version1)
            #expect(isOldTaken)
            #expect(
                Set(server.requests.map { String($0.path) }) == [
                    Authority.pathV1, Authority.pathV2, Authority.keysV1, Authority.keysV2,
                ]
            )
            #expect(server.requests.count == 4)
            #expect(server.requests.allSatisfy { $0.headers["metadata"].isEmpty && $0.method == .GET })
        }
    }

    @Test("fetches once, however many tokens wait")
    func singleFlight() async throws {
        try await withWorld(
            times: .slow,
            before: { server in
                let base = server.base
                let metadata = Authority.metadata(issuer: "\(base)/\(Known.tenant)/v2.0", keys: base + Authority.keysV2)
                server.setScript { $0.path == Authority.pathV2 ? .held(200, metadata) : .document(404, "") }
            },
            run: { server, world in
                let token = server.token(keyID: "a", .first)
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    for _ in 0..<300 { group.addTask { try await world.passes(token) } }
                    try await eventually("all wait") { try await world.waitingCount == 300 }
                    server.serve(["a": .first])
                    server.release()
                    for try await passes in group { #expect(passes) }
                }
                #expect(server.count(Authority.pathV2) == 1)
                #expect(server.count(Authority.keysV2) == 1)
            }
        )
    }

    @Test("rolls keys over under load without refusing one good token")
    func rollover() async throws {
        try await withWorld { server, world in
            #expect(try await world.passes(server.token(keyID: "a", .first)))
            let load = Load()
            try await withThrowingTaskGroup(of: (passed: Int, refused: [String]).self) { group in
                for worker in 0..<4 {
                    group.addTask {
                        var passed = 0
                        var refused: [String] = []
                        while !load.isOver.withLock({ $0 }) {
                            let (keyID, key) = load.current.withLock { $0 }
                            let token = server.token(keyID: keyID, key, uti: "\(worker)-\(passed)")
                            let outcome = try await world.authenticate(token)
                            if case .identity = outcome { passed += 1 } else { refused.append("\(keyID): \(outcome)") }
                        }
                        return (passed, refused)
                    }
                }
                // The new key is published and used at once: tokens come before any refresh has seen it.
                for (keyID, key) in [("b", SigningKey.second), ("c", .third), ("d", .first), ("e", .second)] {
                    let (oldID, old) = load.current.withLock { $0 }
                    server.serve([oldID: old, keyID: key])
                    load.current.withLock { $0 = (keyID, key) }
                    let before = server.count(Authority.keysV2)
                    try await eventually("fetches") { server.count(Authority.keysV2) >= before + 2 }
                }
                load.isOver.withLock { $0 = true }
                for try await (passed, refused) in group {
                    #expect(passed > 0)
                    #expect(refused.isEmpty, "\(refused.prefix(3))")
                }
            }
        }
    }

    @Test("stops taking a key at the next refresh after it was removed, cached tokens included")
    func removal() async throws {
        try await withWorld(["a": .first, "b": .second]) { server, world in
            let token = server.token(keyID: "a", .first)
            #expect(try await world.passes(token))
            server.serve(["b": .second])
            try await eventually("the removed key is refused") { try await !world.passes(token) }
            #expect(try await world.passes(server.token(keyID: "b", .second)))
        }
    }

    static let troubles: [(name: String, script: @Sendable (String, DocumentServer.Request) -> DocumentServer.Answer)] =
        [
            ("it is down", { _, _ in .close }),
            ("it answers 500", { _, _ in .document(500, "{}") }),
            ("it answers 404", { _, _ in .document(404, "{}") }),
            ("it answers HTML", { _, _ in .document(200, "<!DOCTYPE html><html><body>Sign in</body></html>") }),
            ("it answers nothing", { _, _ in .document(200, "") }),
            ("it redirects", { base, _ in .document(302, "", headers: [("location", "\(base)/elsewhere")]) }),
            (
                "its keys are empty",
                { base, request in
                    request.target.hasSuffix("keys")
                        ? .document(200, "{\"keys\":[]}")
                        : .document(
                            200,
                            Authority.metadata(issuer: "\(base)/\(Known.tenant)/v2.0", keys: base + Authority.keysV2)
                        )
                }
            ),
            (
                "its keys are HTML",
                { base, request in
                    request.target.hasSuffix("keys")
                        ? .document(200, "<html>")
                        : .document(
                            200,
                            Authority.metadata(issuer: "\(base)/\(Known.tenant)/v2.0", keys: base + Authority.keysV2)
                        )
                }
            ),
            (
                "its keys are elsewhere",
                { base, _ in
                    .document(
                        200,
                        Authority.metadata(issuer: "\(base)/\(Known.tenant)/v2.0", keys: "http://127.0.0.1:1/keys")
                    )
                }
            ),
            (
                "it is another tenant's",
                { base, _ in
                    .document(
                        200,
                        Authority.metadata(issuer: "\(base)/\(Known.otherTenant)/v2.0", keys: base + Authority.keysV2)
                    )
                }
            ),
            ("it answers without end", { _, _ in .document(200, String(repeating: " ", count: 1 << 20)) }),
        ]

    @Test("goes on with the keys it has when the authority fails", arguments: troubles.indices)
    func lastKnownGood(index: Int) async throws {
        let trouble = Self.troubles[index]
        try await withWorld { server, world in
            let token = server.token(keyID: "a", .first)
            #expect(try await world.passes(token))
            let base = server.base
            server.setScript { trouble.script(base, $0) }
            let before = server.count(Authority.pathV2)
            try await eventually("\(trouble.name) three times") { server.count(Authority.pathV2) >= before + 3 }
            #expect(try await world.passes(token), "\(trouble.name)")
            #expect(try await world.passes(server.token(keyID: "a", .first, uti: "new")), "\(trouble.name)")
            #expect(try await world.outcome(of: server.token(keyID: "b", .second)) != .refused(.key), "it may be good")
            #expect(server.count("/elsewhere") == 0, "nobody follows")
            server.serve(["b": .second])
            try await eventually("it recovers") { try await world.passes(server.token(keyID: "b", .second)) }
        }
    }

    @Test(
        "starts without an authority, answers that it cannot judge, and recovers by itself",
        arguments: troubles.indices
    )
    func startWithoutAuthority(index: Int) async throws {
        let trouble = Self.troubles[index]
        try await withWorld(
            before: { server in
                let base = server.base
                server.setScript { trouble.script(base, $0) }
            },
            run: { server, world in
                let token = server.token(keyID: "a", .first)
                #expect(try await world.authenticate(token) == .refused(.keysUnavailable), "\(trouble.name)")
                server.serve(["a": .first])
                try await eventually("it recovers") { try await world.passes(token) }
            }
        )
    }

    @Test("does not ask again for a key that was not there a moment ago")
    func unknownKey() async throws {
        try await withWorld(times: .slow) { server, world in
            #expect(try await world.passes(server.token(keyID: "a", .first)))
            try await eventually("both versions are there") { server.requests.count == 4 }
            for number in 0..<100 {
                #expect(try await world.authenticate(server.token(keyID: "x\(number)", .second)) == .refused(.key))
            }
            #expect(server.requests.count == 4)
        }
    }

    @Test("refuses a token that too many others wait with")
    func tooManyWaiting() async throws {
        try await withWorld(
            times: .slow,
            before: { $0.setScript { _ in .held(500, "") } },
            run: { server, world in
                let token = server.token(keyID: "a", .first)
                try await withThrowingTaskGroup(of: TokenAuthenticator.Outcome.self) { group in
                    for _ in 0...WaitingList<KeyView.Answer>.maxCount {
                        group.addTask { try await world.authenticate(token) }
                    }
                    #expect(try await group.next() == .refused(.tooManyWaiting))
                    #expect(try await world.waitingCount == 1000)
                    server.release()
                    for try await outcome in group { #expect(outcome == .refused(.keysUnavailable)) }
                }
            }
        )
    }

    @Test("takes from other replicas what they have fetched, and shares what it fetches")
    func shared() async throws {
        let store = MemoryKeyStore()
        try await withWorld(times: .slow, shared: store) { server, first in
            let token = server.token(keyID: "a", .first)
            #expect(try await first.passes(token))
            try await eventually("both versions are shared") { store.count == 2 }
            let before = server.requests.count
            let second = try await KeyWorld.start(tenant: Authority.tenant(server), times: .slow, shared: store)
            let passes = try await second.passes(token)
            try await second.stop()
            #expect(passes)
            #expect(server.requests.count == before, "nobody asked the authority")
        }
    }

    @Test("reads what others share with the same care, and fetches for itself where it is no good")
    func sharedRubbish() async throws {
        let store = MemoryKeyStore(rubbish: true)
        try await withWorld(times: .slow, shared: store) { server, world in
            let passes = try await world.passes(server.token(keyID: "a", .first))
            #expect(passes)
        }
    }
}

/// What the tokens of a load are signed with at the moment.
private final class Load: Sendable {
    let current = Mutex((keyID: "a", key: SigningKey.first))
    let isOver = Mutex(false)
}

/// Keys in memory, for several keepers.
final class MemoryKeyStore: SharedKeyStore {
    private let documents = Mutex<[String: SharedKeys.Documents]>([:])
    private let rubbish: Bool

    init(rubbish: Bool = false) { self.rubbish = rubbish }

    var count: Int { documents.withLock { $0.count } }

    func get(_ name: String, maxAge: TimeAmount, on eventLoop: any EventLoop) -> EventLoopFuture<SharedKeys?> {
        if rubbish {
            let documents = SharedKeys.Documents(metadata: Array("{}".utf8), keys: Array("<html>".utf8))
            return eventLoop.makeSucceededFuture(SharedKeys(documents: documents, age: .zero))
        }
        return eventLoop.makeSucceededFuture(
            documents.withLock { $0[name] }.map { SharedKeys(documents: $0, age: .seconds(1)) }
        )
    }

    func put(_ name: String, _ keys: SharedKeys.Documents, lifetime: TimeAmount, on eventLoop: any EventLoop) {
        documents.withLock { $0[name] = keys }
    }
}
