/// A token to be made: members as JSON text, so that it can be as wrong as a test wants.
package struct TokenDraft: Sendable {
    package typealias Member = (name: String, json: String)

    package var header: [Member]
    package var payload: [Member]

    /// What tokens of the tests are made of.
    package enum Known {
        package static let tenant = "11111111-1111-1111-1111-111111111111"
        package static let otherTenant = "33333333-3333-3333-3333-333333333333"
        package static let api = "22222222-2222-2222-2222-222222222222"
        package static let apiURI = "api://sluice"
        package static let user = "aaaaaaaa-0000-0000-0000-000000000001"
        package static let principal = "aaaaaaaa-0000-0000-0000-000000000002"
        package static let application = "bbbbbbbb-0000-0000-0000-000000000001"
        package static let group = "cccccccc-0000-0000-0000-000000000001"
        package static let role = "sluice.team-a"
        package static let keyID = "key-1"
        package static let otherKeyID = "key-2"
        /// Seconds since 1970.
        package static let now: Int64 = 1_900_000_000
        package static let skew: Int64 = 60
    }

    /// An application's token with a role, as version 2 has it.
    package static var application: TokenDraft {
        TokenDraft(
            header: [("typ", "\"JWT\""), ("alg", "\"RS256\""), ("kid", "\"\(Known.keyID)\"")],
            payload: [
                ("aud", "\"\(Known.api)\""),
                ("iss", "\"https://login.microsoftonline.com/\(Known.tenant)/v2.0\""),
                ("iat", "\(Known.now - 300)"), ("nbf", "\(Known.now - 300)"), ("exp", "\(Known.now + 3600)"),
                ("aio", "\"k2RgYPj//w==\""), ("azp", "\"\(Known.application)\""), ("azpacr", "\"1\""),
                ("oid", "\"\(Known.principal)\""), ("rh", "\"1.AU\""), ("roles", "[\"\(Known.role)\"]"),
                ("sub", "\"\(Known.principal)\""), ("tid", "\"\(Known.tenant)\""),
                ("uti", "\"AbCdEfGhIjKlMnOpQrStUv\""), ("ver", "\"2.0\""),
            ]
        )
    }

    /// A user's token with a scope.
    package static var user: TokenDraft {
        application.with("oid", "\"\(Known.user)\"").with("sub", "\"pairwise\"").without("roles")
            .with("scp", "\"access_as_user\"").with("name", "\"J\u{FC}rgen \\u00e9\"")
    }

    /// The same as version 1 has it.
    package var version1: TokenDraft {
        var draft = with("ver", "\"1.0\"").with("iss", "\"https://sts.windows.net/\(Known.tenant)/\"")
            .with("aud", "\"\(Known.apiURI)\"").with("appid", "\"\(Known.application)\"").without("azp")
        draft.header.append(("x5t", "\"\(Known.keyID)\""))
        return draft
    }

    package func with(_ name: String, _ json: String) -> TokenDraft { without(name).adding(name, json) }

    /// Adds a member even if there is one.
    package func adding(_ name: String, _ json: String) -> TokenDraft {
        var draft = self
        draft.payload.append((name, json))
        return draft
    }

    package func without(_ name: String) -> TokenDraft {
        var draft = self
        draft.payload.removeAll { $0.name == name }
        return draft
    }

    package func header(_ name: String, _ json: String?) -> TokenDraft {
        var draft = self
        draft.header.removeAll { $0.name == name }
        if let json { draft.header.append((name, json)) }
        return draft
    }

    package func addingToHeader(_ name: String, _ json: String) -> TokenDraft {
        var draft = self
        draft.header.append((name, json))
        return draft
    }

    package var headerJSON: String { Self.object(header) }
    package var payloadJSON: String { Self.object(payload) }

    /// Signed as Entra ID does.
    package func signed(by key: SigningKey = .first) -> String { Self.signed(headerJSON, payloadJSON, by: key) }

    package static func signed(_ header: String, _ payload: String, by key: SigningKey = .first) -> String {
        signed(Array(header.utf8), Array(payload.utf8), by: key)
    }

    package static func signed(_ header: [UInt8], _ payload: [UInt8], by key: SigningKey = .first) -> String {
        let text = header.base64URL + "." + payload.base64URL
        return text + "." + key.sign(Array(text.utf8)).base64URL
    }

    /// Header and payload with a signature of the test's choice.
    package func signed(with sign: ([UInt8]) -> [UInt8]) -> String {
        let text = Array(headerJSON.utf8).base64URL + "." + Array(payloadJSON.utf8).base64URL
        return text + "." + sign(Array(text.utf8)).base64URL
    }

    private static func object(_ members: [Member]) -> String {
        "{" + members.map { "\"\($0.name)\":\($0.json)" }.joined(separator: ",") + "}"
    }
}
