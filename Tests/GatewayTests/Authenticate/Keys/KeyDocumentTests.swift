import Testing
import TokenMill

@testable import Gateway

@Suite("The documents that name a tenant's keys")
struct KeyDocumentTests {
    typealias Known = TokenDraft.Known

    static let issuer = "https://login.microsoftonline.com/\(Known.tenant)/v2.0"
    static let base = "https://login.microsoftonline.com"

    private func metadata(
        issuer: String = issuer,
        keys: String = "\(base)/\(Known.tenant)/discovery/v2.0/keys",
        tenant: EntraTenant = TokenBench.tenant
    ) throws -> MetadataDocument {
        let json = """
            {"token_endpoint":"\(Self.base)/x","issuer":"\(issuer)","jwks_uri":"\(keys)",
             "id_token_signing_alg_values_supported":["RS256"],"cloud_instance_name":"microsoftonline.com","tenant_region_scope":null}
            """
        return try MetadataDocument(Array(json.utf8), tenant: tenant, version: .v2)
    }

    private func keys(_ entries: [String], earlier: KeySet? = nil) throws -> KeySet {
        try keys(json: "{\"keys\":[\(entries.joined(separator: ","))]}", earlier: earlier)
    }

    private func keys(json: String, earlier: KeySet? = nil) throws -> KeySet {
        try KeySet(Array(json.utf8), metadata: metadata(), tenant: TokenBench.tenant, earlier: earlier)
    }

    private func ids(_ set: KeySet) -> [String] { set.all.map(\.id).sorted() }

    @Test("is read as Entra ID writes it, with its template of an issuer")
    func metadata() throws {
        let document = try metadata(issuer: "\(Self.base)/{tenantid}/v2.0")
        #expect(document.issuer == Self.issuer)
        #expect(document.keysTarget == "/\(Known.tenant)/discovery/v2.0/keys")
        #expect(document.cloudInstance == "microsoftonline.com")
    }

    @Test(
        "is refused when it is another issuer's",
        arguments: [
            "https://login.microsoftonline.us/\(Known.tenant)/v2.0", "\(base)/\(Known.otherTenant)/v2.0",
            "\(base)/common/v2.0",
            "https://sts.windows.net/\(Known.tenant)/", "", "x",
        ]
    )
    func issuer(issuer: String) { #expect(throws: KeyDocumentError.issuer) { try metadata(issuer: issuer) } }

    @Test("of an authority that says itself who it is must still be the tenant's")
    func otherAuthority() throws {
        let tenant = EntraTenant(id: GUID(Known.tenant)!, audiences: [], authority: .other("https://login.example"))
        let keys = "https://login.example/keys?appid=1"
        let document = try metadata(issuer: "https://issuer.example/\(Known.tenant)/", keys: keys, tenant: tenant)
        #expect(document.keysTarget == "/keys?appid=1")
        for issuer in ["https://issuer.example/", "https://issuer.example/\(Known.otherTenant)", "x\(Known.tenant)"] {
            #expect(throws: KeyDocumentError.issuer) { try metadata(issuer: issuer, keys: keys, tenant: tenant) }
        }
    }

    @Test(
        "is refused when its keys are elsewhere",
        arguments: [
            "https://attacker.example/keys", "http://login.microsoftonline.com/keys",
            "https://login.microsoftonline.com",
            "https://login.microsoftonline.com.attacker.example/keys",
            "https://login.microsoftonline.com@attacker.example/keys",
            "https://login.microsoftonline.com:444/keys", "\(base)/a b", "\(base)/a#b", "\(base)/\\u000d\\u000aX: y",
            "/keys", "",
            "\(base)/" + String(repeating: "x", count: 600),
        ]
    )
    func elsewhere(keys: String) { #expect(throws: KeyDocumentError.keysElsewhere) { try metadata(keys: keys) } }

    @Test(
        "is refused when it is no such document",
        arguments: ["", "<!DOCTYPE html><html></html>", "[]", "null", "{", "{}}"]
    )
    func noMetadata(json: String) {
        #expect(throws: KeyDocumentError.malformed) {
            try MetadataDocument(Array(json.utf8), tenant: TokenBench.tenant, version: .v2)
        }
        #expect(throws: KeyDocumentError.malformed) { try keys(json: json) }
    }

    @Test("is refused without what it is for", arguments: ["{}", "{\"issuer\":\"x\"}", "{\"jwks_uri\":\"x\"}"])
    func incomplete(json: String) {
        #expect(throws: KeyDocumentError.incomplete) {
            try MetadataDocument(Array(json.utf8), tenant: TokenBench.tenant, version: .v2)
        }
        #expect(throws: KeyDocumentError.incomplete) { try keys(json: json) }
    }

    @Test("gives its keys by their ids")
    func read() throws {
        let issuer = ",\"issuer\":\"\(Self.base)/{tenantid}/v2.0\",\"cloud_instance_name\":\"microsoftonline.com\""
        let set = try keys([SigningKey.first.jwk(id: "a", adding: issuer), SigningKey.second.jwk(id: "b")])
        #expect(ids(set) == ["a", "b"])
        #expect(set["a"]?.modulus == SigningKey.first.modulus)
        #expect(set["A"] == nil)
        #expect(set.issuer == Self.issuer)
    }

    @Test("keeps a key that it has already as the same object")
    func sameKey() throws {
        let first = try keys([SigningKey.first.jwk(id: "a"), SigningKey.second.jwk(id: "b")])
        let second = try keys([SigningKey.first.jwk(id: "a"), SigningKey.third.jwk(id: "b")], earlier: first)
        #expect(second["a"] === first["a"])
        #expect(second["b"] !== first["b"])
    }

    static let unusable: [(name: String, jwk: @Sendable () -> String)] = [
        ("a symmetric key", { "{\"kty\":\"oct\",\"kid\":\"x\",\"k\":\"AAAA\"}" }),
        ("a symmetric key with an RSA modulus", { SigningKey.first.jwk(id: "x", adding: ",\"k\":\"AAAA\"") }),
        ("an elliptic curve", { "{\"kty\":\"EC\",\"kid\":\"x\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}" }),
        ("a private key", { SigningKey.first.jwk(id: "x", adding: ",\"d\":\"AAAA\"") }),
        ("half a private key", { SigningKey.first.jwk(id: "x", adding: ",\"p\":\"AAAA\"") }),
        ("a key for encryption", { SigningKey.first.jwk(id: "x").replacing("\"sig\"", with: "\"enc\"") }),
        ("a key for PS256", { SigningKey.first.jwk(id: "x", adding: ",\"alg\":\"PS256\"") }),
        (
            "a key of consumers",
            {
                let issuer = "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"
                return SigningKey.first.jwk(id: "x", adding: ",\"issuer\":\"\(issuer)\"")
            }
        ),
        (
            "a key of another cloud",
            {
                SigningKey.first.jwk(id: "x", adding: ",\"cloud_instance_name\":\"partner.microsoftonline.cn\"")
            }
        ),
        ("no kid", { SigningKey.first.jwk(id: "x").replacing("\"kid\":\"x\",", with: "") }),
        ("a kid that is a path", { SigningKey.first.jwk(id: "../x") }),
        ("no modulus", { "{\"kty\":\"RSA\",\"kid\":\"x\",\"e\":\"AQAB\"}" }),
        ("an empty modulus", { "{\"kty\":\"RSA\",\"kid\":\"x\",\"n\":\"\",\"e\":\"AQAB\"}" }),
        ("a modulus with padding", { SigningKey.first.jwk(id: "x").replacing("\",\"e\"", with: "==\",\"e\"") }),
        (
            "1024 bits",
            {
                let modulus = Array(SigningKey.first.modulus[..<128]).base64URL
                return "{\"kty\":\"RSA\",\"kid\":\"x\",\"n\":\"\(modulus)\",\"e\":\"AQAB\"}"
            }
        ),
        ("an exponent of 1", { SigningKey.first.jwk(id: "x").replacing("AQAB", with: "AQ") }),
        ("an exponent of 3", { SigningKey.first.jwk(id: "x").replacing("AQAB", with: "Aw") }),
        ("an even exponent", { SigningKey.first.jwk(id: "x").replacing("AQAB", with: "AQAA") }),
        (
            "an even modulus",
            {
                let modulus = (Array(SigningKey.first.modulus.dropLast()) + [0]).base64URL
                return "{\"kty\":\"RSA\",\"kid\":\"x\",\"n\":\"\(modulus)\",\"e\":\"AQAB\"}"
            }
        ),
    ]

    @Test("leaves out what cannot check tokens, and is refused when nothing else is there", arguments: unusable.indices)
    func leftOut(index: Int) throws {
        let jwk = Self.unusable[index].jwk()
        #expect(ids(try keys([jwk, SigningKey.second.jwk(id: "good")])) == ["good"], "\(Self.unusable[index].name)")
        #expect(throws: KeyDocumentError.noKeys) { try keys([jwk]) }
    }

    @Test("is refused when it is empty, or has one id for two keys")
    func empty() throws {
        #expect(throws: KeyDocumentError.noKeys) { try keys([]) }
        #expect(throws: KeyDocumentError.ambiguous) {
            try keys([SigningKey.first.jwk(id: "a"), SigningKey.second.jwk(id: "a")])
        }
        #expect(ids(try keys([SigningKey.first.jwk(id: "a"), SigningKey.first.jwk(id: "a")])) == ["a"])
    }

    @Test("may have 64 keys, and no more")
    func count() throws {
        let many = (0..<64).map { SigningKey.first.jwk(id: "k\($0)") }
        #expect(try keys(many).count == 64)
        #expect(throws: KeyDocumentError.tooManyKeys) { try keys(many + [SigningKey.first.jwk(id: "k64")]) }
    }
}
