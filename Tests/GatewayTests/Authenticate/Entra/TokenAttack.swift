import Testing
import TokenMill

@testable import Gateway

/// A token that must be refused, and why.
struct TokenAttack: Sendable, CustomTestStringConvertible {
    let name: String
    let refusal: TokenRefusal
    let token: @Sendable () -> String

    var testDescription: String { name }

    init(_ name: String, _ refusal: TokenRefusal, _ token: @escaping @Sendable () -> String) {
        self.name = name
        self.refusal = refusal
        self.token = token
    }

    /// A well-signed token with one thing wrong in it.
    static func draft(
        _ name: String,
        _ refusal: TokenRefusal,
        _ change: @escaping @Sendable (TokenDraft) -> TokenDraft
    )
        -> Self
    {
        Self(name, refusal) { change(.application).signed() }
    }

    static let all = algorithms + keyIDs + headers + forms + payloads + claims + authorisation

    // MARK: algorithms

    static let algorithms: [Self] = {
        var all: [Self] = ["none", "None", "NONE", "nOnE"].map { name in
            Self("alg \(name) without a signature", .notThreeParts) {
                TokenDraft.application.header("alg", "\"\(name)\"").signed { _ in [] }
            }
        }
        all += ["none", "None", "NONE", "nOnE"].map { name in
            draft("alg \(name) with a signature", .algorithm) { $0.header("alg", "\"\(name)\"") }
        }
        let secrets: [(name: String, bytes: @Sendable () -> [UInt8])] = [
            ("HS256 with the public key in DER", { SigningKey.first.der }),
            ("HS256 with the public key in PEM", { Array(pem(SigningKey.first.der).utf8) }),
            ("HS256 with the modulus", { SigningKey.first.modulus }),
            ("HS256 with the JSON Web Key", { Array(SigningKey.first.jwk(id: "key-1").utf8) }),
            ("HS256 with nothing", { [] }),
        ]
        all += secrets.map { secret in
            Self(secret.name, .algorithm) {
                TokenDraft.application.header("alg", "\"HS256\"").signed { HMAC.sha256(key: secret.bytes(), text: $0) }
            }
        }
        all += [
            "HS256", "HS384", "HS512", "ES256", "ES256K", "PS256", "PS512", "RS384", "RS512", "EdDSA", "rs256",
            "RS256 ", "",
        ]
        .map { name in draft("alg \(name) in the header", .algorithm) { $0.header("alg", "\"\(name)\"") } }
        all += [
            Self("PS256, well signed", .algorithm) {
                TokenDraft.application.header("alg", "\"PS256\"").signed {
                    SigningKey.first.sign($0, padding: .pss)
                }
            },
            Self("PSS padding under RS256", .signature) {
                TokenDraft.application.signed { SigningKey.first.sign($0, padding: .pss) }
            },
            Self("SHA-512 under RS256", .signature) {
                TokenDraft.application.signed { SigningKey.first.sign($0, digest: "SHA512") }
            },
            Self("SHA-1 under RS256", .signature) {
                TokenDraft.application.signed { SigningKey.first.sign($0, digest: "SHA1") }
            },
            Self("ES256 with r = s = 0 (CVE-2022-21449)", .algorithm) {
                TokenDraft.application.header("alg", "\"ES256\"").signed { _ in [UInt8](repeating: 0, count: 64) }
            },
            Self("r = s = 0 under RS256", .signatureLength) {
                TokenDraft.application.signed { _ in [UInt8](repeating: 0, count: 64) }
            },
            draft("no alg", .algorithm) { $0.header("alg", nil) },
            draft("alg a number", .headerMalformed) { $0.header("alg", "256") },
            draft("alg an array", .headerMalformed) { $0.header("alg", "[\"RS256\"]") },
            draft("alg null", .headerMalformed) { $0.header("alg", "null") },
        ]
        return all
    }()

    private static func pem(_ der: [UInt8]) -> String {
        var text = der.base64URL.replacing("-", with: "+").replacing("_", with: "/")
        while text.utf8.count % 4 != 0 { text += "=" }
        return "-----BEGIN PUBLIC KEY-----\n\(text)\n-----END PUBLIC KEY-----\n"
    }

    // MARK: key ids

    static let keyIDs: [Self] = {
        var all: [Self] = [
            "../../dev/null", "' OR 1=1", "", " key-1", "key-1\\u0000", "https://attacker.example/keys", "k\u{E9}y",
            String(repeating: "k", count: 129),
        ].map { id in draft("kid \(id.prefix(40))", .keyID) { $0.header("kid", "\"\(id)\"") } }
        all += [
            draft("no kid", .keyID) { $0.header("kid", nil) },
            draft("kid of 10 KB", .headerTooLong) {
                $0.header("kid", "\"" + String(repeating: "k", count: 10_000) + "\"")
            },
            draft("kid a number", .headerMalformed) { $0.header("kid", "1") },
            draft("kid in another case", .key) { $0.header("kid", "\"KEY-1\"") },
            draft("kid of another tenant", .key) { $0.header("kid", "\"key-other\"") },
            Self("kid of another tenant, signed by it", .key) {
                TokenDraft.application.header("kid", "\"key-other\"").signed(by: .third)
            },
            Self("kid that only version 1 knows", .key) {
                TokenDraft.application.header("kid", "\"only-v1\"").signed(by: .second)
            },
            Self("the key of another kid", .signature) {
                TokenDraft.application.header("kid", "\"key-2\"").signed(by: .first)
            },
            Self("an attacker's key under a known kid", .signature) { TokenDraft.application.signed(by: .third) },
        ]
        return all
    }()

    // MARK: headers

    static let headers: [Self] = {
        var all: [Self] = [
            ("crit", "[\"exp\"]"), ("crit", "[]"), ("b64", "false"), ("b64", "true"), ("zip", "\"DEF\""),
            ("enc", "\"A256GCM\""), ("cty", "\"JWT\""), ("nonce", "\"AQABAAAAAAD\""),
            ("jku", "\"https://attacker.example/keys\""), ("x5u", "\"https://attacker.example/cert\""),
            ("x5c", "[\"MIID\"]"),
        ].map { (name: String, json: String) in draft("\(name) \(json)", .headerMember) { $0.header(name, json) } }
        all += [
            Self("jwk of the attacker's own", .headerMember) {
                let modulus = SigningKey.third.modulus.base64URL
                let jwk = "{\"kty\":\"RSA\",\"kid\":\"key-1\",\"e\":\"AQAB\",\"n\":\"\(modulus)\"}"
                return TokenDraft.application.header("jwk", jwk).signed(by: .third)
            },
            draft("crit within depth", .headerMalformed) { $0.header("crit", "[[[1]]]") },
            draft("alg twice", .headerDuplicate) { $0.addingToHeader("alg", "\"none\"") },
            draft("alg twice, the same", .headerDuplicate) { $0.addingToHeader("alg", "\"RS256\"") },
            draft("alg and ALG", .headerDuplicate) { $0.addingToHeader("ALG", "\"none\"") },
            draft("kid twice", .headerDuplicate) { $0.addingToHeader("kid", "\"key-2\"") },
            draft("alg with an escape in its name", .headerMalformed) { $0.addingToHeader("\\u0061lg", "\"none\"") },
            draft("typ of an id token's wrapper", .type) { $0.header("typ", "\"JOSE+JSON\"") },
            draft("typ empty", .type) { $0.header("typ", "\"\"") },
            draft("a header above 1 KiB", .headerTooLong) {
                $0.header("x", "\"" + String(repeating: "x", count: 1000) + "\"")
            },
        ]
        all += [
            ("an array", "[\"RS256\"]"), ("a number", "1"), ("a string", "\"RS256\""), ("null", "null"),
            ("nothing", " "),
            ("with a byte order mark", "\u{FEFF}{\"alg\":\"RS256\",\"kid\":\"key-1\"}"),
            ("with something behind", "{\"alg\":\"RS256\",\"kid\":\"key-1\"}{}"),
            ("with a comma too many", "{\"alg\":\"RS256\",\"kid\":\"key-1\",}"),
            ("with a comment", "{/**/\"alg\":\"RS256\",\"kid\":\"key-1\"}"),
            ("in single quotes", "{'alg':'RS256','kid':'key-1'}"),
            ("not closed", "{\"alg\":\"RS256\",\"kid\":\"key-1\""),
            ("as deep as 1 KiB allows", String(repeating: "[", count: 1024)),
            ("an object as deep as 1 KiB allows", String(repeating: "{\"a\":", count: 204)),
        ].map { (name: String, header: String) in
            Self("a header that is \(name)", .headerMalformed) {
                TokenDraft.signed(header, TokenDraft.application.payloadJSON)
            }
        }
        all += [
            ("invalid UTF-8", [0xC3, 0x28]), ("an overlong form", [0xC0, 0xAF]),
            ("a surrogate in UTF-8", [0xED, 0xA0, 0x80]),
            ("NUL", [0]),
        ].map { (name: String, bytes: [UInt8]) in
            Self("a header with \(name)", .headerMalformed) {
                let head = Array("{\"alg\":\"RS256\",\"kid\":\"key-1\",\"x\":\"".utf8) + bytes + Array("\"}".utf8)
                return TokenDraft.signed(head, Array(TokenDraft.application.payloadJSON.utf8))
            }
        }
        return all
    }()
}
