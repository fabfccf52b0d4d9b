import Foundation
import Testing

@testable import Gateway

@Suite("A token that should not pass")
struct TokenAttackTests {
    @Test("is refused, for its reason, and asks for no key", arguments: TokenAttack.all)
    func refused(attack: TokenAttack) throws {
        let bench = try TokenBench()
        var asked = 0
        bench.view.ask = { _, _, _ in asked += 1 }
        let token = attack.token()
        #expect(bench.authenticate(token) == .refused(attack.refusal))
        #expect(bench.authenticate(token) == .refused(attack.refusal), "and the second time")
        #expect(bench.authenticator.cachedCount == 0)
        // Nor does it when a fetch would be allowed, unless it is a whole good token but for its key.
        bench.allowRefresh()
        bench.allowRefresh(tenant: 1)
        if attack.refusal != .key { #expect(bench.authenticate(token) == .refused(attack.refusal)) }
        #expect(asked == 0)
    }

    @Test(
        "answers 401, or 403 where it is genuine, with nothing that a caller should not learn",
        arguments: TokenRefusal.allCases
    )
    func answer(refusal: TokenRefusal) {
        let error = GatewayError(refusal)
        switch refusal.kind {
        case .invalid:
            #expect(error.status == 401)
            #expect(error.challenge == .invalidToken)
        case .forbidden: #expect(error.status == 403)
        case .unavailable:
            #expect(error.status == 503)
            #expect(error.retryAfterSeconds != nil)
        }
        #expect(error.reason == refusal.rawValue)
    }

    @Test("cannot be told from another by its answer")
    func sameAnswer() {
        let answers = Set(
            TokenRefusal.allCases.map { "\($0.kind) \(GatewayError($0).status) \(GatewayError($0).json)" }
        )
        #expect(answers.count == 3)
    }

    @Test("leaves no memory behind, however many come")
    func memory() throws {
        let bench = try TokenBench()
        let tokens = TokenAttack.all.map { $0.token() }.filter { $0.utf8.count < 20_000 }
        func pass() { for token in tokens { _ = bench.authenticate(token) } }
        for _ in 0..<5 { pass() }
        let before = try Self.residentBytes()
        for _ in 0..<50 { pass() }
        #expect(try Self.residentBytes() - before < 8 << 20)
    }

    private static func residentBytes() throws -> Int {
        let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        return try #require(Int(pages[1])) * 4096
    }

    @Test(
        "is refused at the header field when that is not exactly one bearer token",
        arguments: [
            "", "Bearer", "Bearer ", "Bearer  abc", "Bearer\tabc", "Bearer abc def", "Bearer abc,def", "Basic abc",
            "Bearerabc",
            "Bearer =abc", "Bearer a=bc", "Bearer \u{E9}", "bearer: abc", "Token abc", "Bearer abc\n", " Bearer abc",
        ]
    )
    func headerField(value: String) {
        guard case .failure(let refusal) = BearerToken.read(value) else {
            Issue.record("taken")
            return
        }
        #expect(refusal == .notBearer)
    }

    @Test("is read from a header field in any case of the scheme", arguments: ["Bearer", "bearer", "BEARER", "bEaReR"])
    func scheme(scheme: String) throws {
        #expect(try BearerToken.read("\(scheme) a.b-c_d~e+f/g==").get() == "a.b-c_d~e+f/g==")
    }

    @Test("may have 16 KiB, and not a byte more")
    func length() throws {
        let longest = String(repeating: "a", count: BearerToken.maxBytes)
        #expect(try BearerToken.read("Bearer \(longest)").get().utf8.count == 16_384)
        #expect(BearerToken.read("Bearer \(longest)a") == .failure(.tooLong))
    }
}
