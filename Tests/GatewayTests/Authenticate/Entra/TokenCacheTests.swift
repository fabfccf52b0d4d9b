import Testing
import TokenMill

@testable import Gateway

@Suite("The cache of tokens that passed")
struct TokenCacheTests {
    typealias Known = TokenDraft.Known

    @Test("remembers what passed, and nothing else")
    func positivesOnly() throws {
        let bench = try TokenBench()
        #expect(bench.identity(of: TokenDraft.application.signed()) != nil)
        #expect(bench.authenticator.cachedCount == 1)
        #expect(bench.identity(of: TokenDraft.application.signed()) != nil)
        #expect(bench.authenticator.cachedCount == 1)
        #expect(bench.refusal(of: TokenDraft.application.with("roles", "[]").signed()) == .noPermission)
        #expect(bench.refusal(of: TokenDraft.application.signed(by: .third)) == .signature)
        #expect(bench.authenticator.cachedCount == 1)
    }

    @Test("really spares the signature")
    func isUsed() throws {
        let bench = try TokenBench()
        let token = TokenDraft.application.signed()
        let identity = try #require(bench.identity(of: token))
        // The issuer of the set is another now, but the key is the same: only a token judged anew would notice.
        let key = try #require(bench.view[KeySetID(tenant: 0, version: .v2)]?[Known.keyID])
        try bench.setKeys(tenant: 0, .v2, KeySet(issuer: "https://other.example", keys: [key]))
        #expect(bench.identity(of: token) == identity)
        #expect(bench.refusal(of: TokenDraft.application.with("uti", "\"new\"").signed()) == .issuer)
    }

    @Test("forgets a token when it expires, whatever the skew")
    func expiry() throws {
        let bench = try TokenBench()
        let token = TokenDraft.application.with("exp", "\(Known.now + 10)").signed()
        #expect(bench.identity(of: token, at: Known.now + 9) != nil)
        #expect(bench.authenticator.cachedCount == 1)
        #expect(bench.identity(of: token, at: Known.now + 10) != nil, "within the skew it is judged anew, and passes")
        #expect(bench.authenticator.cachedCount == 0, "but is not kept")
        #expect(bench.identity(of: token, at: Known.now + 10 + Known.skew - 1) != nil)
        #expect(bench.refusal(of: token, at: Known.now + 10 + Known.skew) == .expired)
    }

    @Test("forgets a token when its key is gone, or is another of the same id")
    func keyRemoval() throws {
        let bench = try TokenBench()
        let token = TokenDraft.application.signed()
        #expect(bench.identity(of: token) != nil)
        try bench.setKeys(tenant: 0, .v2, [Known.otherKeyID: .second])
        #expect(bench.refusal(of: token) == .key)
        #expect(bench.authenticator.cachedCount == 0)
        try bench.setKeys(tenant: 0, .v2, [Known.keyID: .first])
        #expect(bench.identity(of: token) != nil)
        try bench.setKeys(tenant: 0, .v2, [Known.keyID: .second])
        #expect(bench.refusal(of: token) == .signature)
        try bench.setKeys(tenant: 0, .v2, nil)
        #expect(bench.refusal(of: token) == .keysUnavailable)
    }

    @Test("judges anew when the policy changes")
    func policy() throws {
        let bench = try TokenBench()
        let token = TokenDraft.application.signed()
        #expect(bench.identity(of: token)?.client == 0)
        let tenants = bench.authenticator.policy.tenants
        bench.authenticator.adopt(
            TokenPolicy(tenants: tenants, clients: [ClientRule(), TokenBench.byRole], epoch: 2)
        )
        #expect(bench.identity(of: token)?.client == 1)
        bench.authenticator.adopt(TokenPolicy(tenants: tenants, clients: [ClientRule()], epoch: 3))
        #expect(bench.refusal(of: token) == .noClient)
        #expect(bench.authenticator.cachedCount == 0)
    }

    private func entry(_ number: Int, lastUsed: UInt32, expires: Int64, key: VerificationKey) -> TokenCache.Entry {
        TokenCache.Entry(
            identity: TokenIdentity(
                client: number,
                tenant: 0,
                isApplication: true,
                objectID: nil,
                application: nil,
                tokenID: TokenID()
            ),
            key: key,
            expires: expires,
            version: .v2,
            epoch: 1,
            lastUsed: lastUsed
        )
    }

    /// Digests that fall into one set of the table and share all but their last byte.
    private func twin(_ number: UInt8) -> KeyDigest {
        KeyDigest(bytes: [UInt8](repeating: 7, count: 31) + [number])!
    }

    @Test("tells digests apart that differ in their last byte only")
    func wholeDigest() throws {
        let key = try SigningKey.first.verification(id: "k")
        var cache = TokenCache(maxEntries: 64, maxBytes: .max)
        cache.keep(entry(1, lastUsed: 1, expires: 100, key: key), for: twin(1), now: 1)
        #expect(cache.identity(of: twin(1), now: 1, epoch: 1) { _ in true }?.client == 1)
        #expect(cache.identity(of: twin(2), now: 1, epoch: 1) { _ in true } == nil)
        #expect(cache.count == 1)
    }

    @Test("puts out what has expired, then what was not used for longest")
    func eviction() throws {
        let key = try SigningKey.first.verification(id: "k")
        var cache = TokenCache(maxEntries: 64, maxBytes: .max)
        for number in UInt8(0)..<8 {
            cache.keep(
                entry(Int(number), lastUsed: UInt32(number) + 1, expires: number == 5 ? 20 : 100, key: key),
                for: twin(number),
                now: 1
            )
        }
        #expect(cache.identity(of: twin(0), now: 15, epoch: 1) { _ in true } != nil, "used again")
        cache.keep(entry(8, lastUsed: 30, expires: 100, key: key), for: twin(8), now: 30)
        cache.keep(entry(9, lastUsed: 31, expires: 100, key: key), for: twin(9), now: 31)
        let left = (UInt8(0)...9).filter { cache.identity(of: twin($0), now: 32, epoch: 1) { _ in true } != nil }
        #expect(left == [0, 2, 3, 4, 6, 7, 8, 9])
        #expect(cache.count == 8)
    }

    @Test("never holds more than it may, in entries and in bytes")
    func bounds() throws {
        let key = try SigningKey.first.verification(id: "k")
        #expect(TokenCache().capacity <= TokenCache.maxEntries)
        #expect(TokenCache().capacity * TokenCache.entryBytes <= TokenCache.maxBytes)
        #expect(TokenCache(maxEntries: .max, maxBytes: 100 * TokenCache.entryBytes).capacity == 64)
        var cache = TokenCache(maxEntries: 100, maxBytes: .max)
        let hasher = KeyHasher()
        for number in 0..<1000 {
            cache.keep(entry(number, lastUsed: 1, expires: 100, key: key), for: hasher.digest(of: "\(number)"), now: 1)
        }
        #expect(cache.count == 64)
        #expect(cache.capacity == 64)
    }
}
