import TokenMill

@testable import Gateway

extension TokenAttack {
    private typealias Known = TokenDraft.Known

    // MARK: the form

    /// Changes the text of a good token.
    private static func text(
        _ name: String,
        _ refusal: TokenRefusal,
        _ change: @escaping @Sendable ([Substring]) -> String
    ) -> Self {
        Self(name, refusal) {
            change(TokenDraft.application.signed().split(separator: ".", omittingEmptySubsequences: false))
        }
    }

    static let forms: [Self] = [
        text("padding behind the signature", .notBase64URL) { $0.joined(separator: ".") + "==" },
        text("padding behind the payload", .notBase64URL) { "\($0[0]).\($0[1])=.\($0[2])" },
        text("the alphabet of base64", .notBase64URL) { "\($0[0]).\($0[1]).\($0[2].dropLast())+" },
        text("a slash", .notBase64URL) { "\($0[0]).\($0[1]).\($0[2].dropLast())/" },
        text("a space within", .notBase64URL) { "\($0[0]) .\($0[1]).\($0[2])" },
        text("a line end within", .notBase64URL) { "\($0[0]).\($0[1])\n.\($0[2])" },
        text("a line end behind", .notBase64URL) { $0.joined(separator: ".") + "\n" },
        text("a length that base64url does not have", .notBase64URL) { "\($0[0]).\($0[1]).\($0[2])AAA" },
        text("bits behind the last byte", .notBase64URL) { parts in
            // 256 bytes end in a group of two characters, of which the last four bits mean nothing.
            let last = parts[2].utf8.last!
            let next = ["A", "Q", "g", "w"].first { $0.utf8.first == last }.map {
                ["A": "B", "Q": "R", "g": "h", "w": "x"][$0]!
            }
            return "\(parts[0]).\(parts[1]).\(parts[2].dropLast())\(next!)"
        },
        text("a character beyond ASCII", .notBase64URL) { "\($0[0]).\($0[1]).\($0[2].dropLast())\u{E9}" },
        text("two parts", .notThreeParts) { "\($0[0]).\($0[1])" },
        text("one part", .notThreeParts) { "\($0[0])" },
        text("four parts", .notThreeParts) { "\($0[0]).\($0[1]).\($0[2]).\($0[2])" },
        text("five parts, as encrypted tokens have", .notThreeParts) { "\($0[0]).\($0[1]).\($0[2]).\($0[1]).\($0[2])" },
        text("an empty header", .notThreeParts) { ".\($0[1]).\($0[2])" },
        text("an empty payload", .notThreeParts) { "\($0[0])..\($0[2])" },
        text("an empty signature", .notThreeParts) { "\($0[0]).\($0[1])." },
        text("nothing but dots", .notThreeParts) { _ in ".." },
        text("nothing", .notThreeParts) { _ in "" },
        text("the JSON form", .notThreeParts) {
            "{\"protected\":\"\($0[0])\",\"payload\":\"\($0[1])\",\"signature\":\"\($0[2])\"}"
        },
        text("a signature cut by a byte", .signatureLength) {
            let bytes = Base64URL.decoded($0[2])!
            return "\($0[0]).\($0[1]).\(Array(bytes.dropLast()).base64URL)"
        },
        text("a signature with a zero before it", .signatureLength) {
            "\($0[0]).\($0[1]).\(([0] + Base64URL.decoded($0[2])!).base64URL)"
        },
        text("a signature of zeros", .signature) { "\($0[0]).\($0[1]).\([UInt8](repeating: 0, count: 256).base64URL)" },
        text("a signature above the modulus", .signature) {
            "\($0[0]).\($0[1]).\([UInt8](repeating: 255, count: 256).base64URL)"
        },
        text("one bit of the signature", .signature) {
            var bytes = Base64URL.decoded($0[2])!
            bytes[100] ^= 1
            return "\($0[0]).\($0[1]).\(bytes.base64URL)"
        },
        text("another payload", .signature) {
            "\($0[0]).\(Array(TokenDraft.application.with("roles", "[\"admin\"]").payloadJSON.utf8).base64URL).\($0[2])"
        },
        Self("250 KB", .tooLong) {
            TokenDraft.application.with("x", "\"" + String(repeating: "x", count: 250_000) + "\"").signed()
        },
        Self("10 MB", .tooLong) { String(repeating: "x", count: 10_000_000) },
        Self("10 MB of dots", .tooLong) { String(repeating: ".", count: 10_000_000) },
        Self("16 KiB of dots", .notThreeParts) { String(repeating: ".", count: 16 * 1024) },
    ]

    // MARK: the payload

    static let payloads: [Self] = {
        var all: [Self] = [
            ("an array", "[]"), ("a number", "1"), ("nothing", " "), ("not JSON", "<html>"),
            ("nested as deep as fits", String(repeating: "[", count: 11_000)),
            ("nested objects as deep as fit", String(repeating: "{\"a\":", count: 2_000)),
            ("with something behind", TokenDraft.application.payloadJSON + "x"),
            ("with a second object", TokenDraft.application.payloadJSON + "{}"),
            ("not closed", String(TokenDraft.application.payloadJSON.dropLast())),
            ("with a byte order mark", "\u{FEFF}" + TokenDraft.application.payloadJSON),
        ].map { (name: String, json: String) in
            Self("a payload that is \(name)", .payloadMalformed) {
                TokenDraft.signed(TokenDraft.application.headerJSON, json)
            }
        }
        all += [
            draft("depth of 16", .payloadMalformed) {
                $0.with("x", String(repeating: "[", count: 16) + String(repeating: "]", count: 16))
            },
            draft("129 members", .payloadMalformed) { draft in
                (0..<129).reduce(draft) { $0.adding("m\($1)", "1") }
            },
            draft("a lone surrogate", .payloadMalformed) { $0.with("name", "\"\\ud800\"") },
            draft("surrogates the wrong way round", .payloadMalformed) { $0.with("name", "\"\\udc00\\ud800\"") },
            draft("half an escape", .payloadMalformed) { $0.with("name", "\"\\u12\"") },
            draft("an unknown escape", .payloadMalformed) { $0.with("name", "\"\\x41\"") },
            draft("a control character", .payloadMalformed) { $0.with("name", "\"\u{1}\"") },
            draft("NaN", .payloadMalformed) { $0.with("x", "NaN") },
            draft("a number with a plus", .payloadMalformed) { $0.with("x", "+1") },
            draft("a number with a leading zero", .payloadMalformed) { $0.with("x", "01") },
            draft("aud twice", .payloadDuplicate) { $0.adding("aud", "\"\(Known.api)\"") },
            draft("tid twice", .payloadDuplicate) { $0.adding("tid", "\"\(Known.otherTenant)\"") },
            draft("tid and TID", .payloadDuplicate) { $0.adding("TID", "\"\(Known.otherTenant)\"") },
            draft("roles and Roles", .payloadDuplicate) { $0.adding("Roles", "[\"admin\"]") },
            draft("exp twice", .payloadDuplicate) { $0.adding("exp", "99999999999") },
            draft("a claim twice within a claim", .payloadDuplicate) { $0.with("x", "{\"a\":1,\"a\":2}") },
            draft("tid with an escape in its name", .payloadMalformed) {
                $0.adding("t\\u0069d", "\"\(Known.otherTenant)\"")
            },
            Self("invalid UTF-8 in the payload", .payloadMalformed) {
                TokenDraft.signed(
                    Array(TokenDraft.application.headerJSON.utf8),
                    Array("{\"name\":\"".utf8) + [0xFF] + Array("\"}".utf8)
                )
            },
        ]
        return all
    }()

    // MARK: claims

    static let claims: [Self] = {
        var all: [Self] = [
            "\"\(Known.now + 3600)\"", "\(Known.now + 3600).0", "\(Known.now + 3600).5", "-1", "1e400", "1e10", "null",
            "true",
            "9007199254740993", "99999999999999999999999", "[]", "{}",
        ]
        .map { json in draft("exp \(json)", .claimMalformed) { $0.with("exp", json) } }
        all += ["nbf", "iat"].map { name in
            draft("\(name) a string", .claimMalformed) { $0.with(name, "\"\(Known.now)\"") }
        }
        all += [
            draft("no exp", .claimMissing) { $0.without("exp") },
            draft("no tid", .claimMissing) { $0.without("tid") },
            draft("no iss", .claimMissing) { $0.without("iss") },
            draft("no aud", .audience) { $0.without("aud") },
            draft("no ver", .version) { $0.without("ver") },
            draft("ver 3.0", .version) { $0.with("ver", "\"3.0\"") },
            draft("ver a number", .claimMalformed) { $0.with("ver", "2.0") },
            draft("ver 1.0 with an issuer of version 2", .issuer) { $0.with("ver", "\"1.0\"") },
            Self("ver 2.0 with an issuer of version 1", .issuer) {
                TokenDraft.application.version1.with("ver", "\"2.0\"").signed()
            },
            draft("tid that is not configured", .tenant) { $0.with("tid", "\"99999999-9999-9999-9999-999999999999\"") },
            draft("tid of consumers", .tenant) { $0.with("tid", "\"9188040d-6c67-4c5b-b112-36a304b66dad\"") },
            draft("tid that is no GUID", .claimMalformed) { $0.with("tid", "\"common\"") },
            draft("tid an array", .claimMalformed) { $0.with("tid", "[\"\(Known.tenant)\"]") },
            draft("tid of another tenant that is configured", .issuer) { $0.with("tid", "\"\(Known.otherTenant)\"") },
            Self("tid of another tenant, signed by that one, with our issuer", .issuer) {
                TokenDraft.application.with("tid", "\"\(Known.otherTenant)\"").header("kid", "\"key-other\"")
                    .signed(by: .third)
            },
            draft("aud another API", .audience) { $0.with("aud", "\"https://graph.microsoft.com\"") },
            draft("aud of Azure OpenAI, not configured", .audience) {
                $0.with("aud", "\"https://cognitiveservices.azure.com\"")
            },
            draft("aud with a slash in version 2", .audience) { $0.with("aud", "\"\(Known.apiURI)/\"") },
            draft("aud with more behind", .audience) { $0.with("aud", "\"\(Known.api)x\"") },
            draft("aud in another case", .audience) { $0.with("aud", "\"API://SLUICE\"") },
            draft("aud an empty array", .audience) { $0.with("aud", "[]") },
            draft("aud an array of others", .audience) { $0.with("aud", "[\"a\",\"b\"]") },
            draft("aud nested", .claimMalformed) { $0.with("aud", "[[\"\(Known.api)\"]]") },
            draft("aud an object", .claimMalformed) { $0.with("aud", "{\"a\":\"\(Known.api)\"}") },
            draft("aud a number", .claimMalformed) { $0.with("aud", "1") },
            draft("17 audiences", .claimMalformed) {
                $0.with("aud", "[" + Array(repeating: "\"\(Known.api)\"", count: 17).joined(separator: ",") + "]")
            },
            draft("expired", .expired) { $0.with("exp", "\(Known.now - Known.skew)") },
            draft("expired since 1970", .expired) { $0.with("exp", "0") },
            draft("not yet valid", .notYetValid) { $0.with("nbf", "\(Known.now + Known.skew + 1)") },
            draft("issued in the future", .issuedInFuture) { $0.with("iat", "\(Known.now + Known.skew + 1)") },
            draft("bound to a key (cnf)", .bound) { $0.with("cnf", "{\"kid\":\"x\"}") },
            draft("roles a string", .claimMalformed) { $0.with("roles", "\"\(Known.role)\"") },
            draft("roles of numbers", .claimMalformed) { $0.with("roles", "[1]") },
        ]
        all += [
            "https://login.microsoftonline.com/\(Known.otherTenant)/v2.0",
            "https://login.microsoftonline.com/\(Known.tenant)/v2.0/",
            "https://login.microsoftonline.com/\(Known.tenant)",
            "https://login.microsoftonline.com/{tenantid}/v2.0",
            "http://login.microsoftonline.com/\(Known.tenant)/v2.0",
            "https://login.microsoftonline.com@attacker.example/\(Known.tenant)/v2.0",
            "https://login.microsoftonline.com.attacker.example/\(Known.tenant)/v2.0",
            "https://login.microsoftonline.us/\(Known.tenant)/v2.0",
            "https://LOGIN.microsoftonline.com/\(Known.tenant)/v2.0",
            "https://sts.windows.net/\(Known.tenant)/", "", " ",
        ].map { issuer in draft("iss \(issuer)", .issuer) { $0.with("iss", "\"\(issuer)\"") } }
        return all
    }()

    // MARK: genuine, and not enough

    static let authorisation: [Self] = [
        draft("any application of the tenant", .noPermission) { $0.without("roles") },
        draft("an application with empty roles", .noPermission) { $0.with("roles", "[]") },
        draft("an application in a group, without a role", .noPermission) {
            $0.without("roles").with("groups", "[\"\(Known.group)\"]")
        },
        draft("a role that nobody lists", .noClient) { $0.with("roles", "[\"other\"]") },
        draft("a role in another case", .noClient) { $0.with("roles", "[\"Sluice.Team-A\"]") },
        Self("a user without scope and role", .noPermission) { TokenDraft.user.without("scp").signed() },
        Self("a user whose scope is empty", .noPermission) { TokenDraft.user.with("scp", "\" \"").signed() },
        Self("a user nobody lists", .noClient) { TokenDraft.user.signed() },
    ]
}
