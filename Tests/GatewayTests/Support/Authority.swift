import Synchronization
import TokenMill

@testable import Gateway

/// What a `DocumentServer` needs to be Entra ID for one tenant.
enum Authority {
    typealias Known = TokenDraft.Known

    static let pathV1 = "/\(Known.tenant)/.well-known/openid-configuration"
    static let pathV2 = "/\(Known.tenant)/v2.0/.well-known/openid-configuration"
    static let keysV1 = "/\(Known.tenant)/discovery/keys"
    static let keysV2 = "/\(Known.tenant)/discovery/v2.0/keys"

    static func tenant(_ server: DocumentServer) -> EntraTenant {
        EntraTenant(
            id: GUID(Known.tenant)!,
            audiences: [Known.api, Known.apiURI],
            authority: .other(server.base),
            clockSkew: Known.skew
        )
    }

    /// Answers for metadata and keys; everything else is 404.
    static func script(
        base: @escaping @Sendable () -> String,
        _ keys: [String: SigningKey]
    ) -> DocumentServer.Script {
        { request in
            let base = base()
            switch String(request.path) {
            case pathV1: return .document(200, metadata(issuer: "\(base)/\(Known.tenant)/", keys: base + keysV1))
            case pathV2: return .document(200, metadata(issuer: "\(base)/\(Known.tenant)/v2.0", keys: base + keysV2))
            case keysV1, keysV2: return .document(200, keySet(keys))
            default: return .document(404, "{}")
            }
        }
    }

    static func metadata(issuer: String, keys: String) -> String {
        "{\"issuer\":\"\(issuer)\",\"jwks_uri\":\"\(keys)\"}"
    }

    static func keySet(_ keys: [String: SigningKey]) -> String {
        "{\"keys\":[\(keys.sorted { $0.key < $1.key }.map { $1.jwk(id: $0) }.joined(separator: ","))]}"
    }

    /// A server with these keys, whatever its port.
    static func start(_ keys: [String: SigningKey]) async throws -> DocumentServer {
        let server = try await DocumentServer.start { _ in .close }
        server.serve(keys)
        return server
    }
}

extension DocumentServer {
    /// From now on it has these keys.
    func serve(_ keys: [String: SigningKey]) {
        let base = base
        setScript(Authority.script(base: { base }, keys))
    }

    /// An application's token of this authority.
    func token(keyID: String, _ key: SigningKey, uti: String = "u") -> String {
        TokenDraft.application.with("iss", "\"\(base)/\(TokenDraft.Known.tenant)/v2.0\"").with("uti", "\"\(uti)\"")
            .header("kid", "\"\(keyID)\"").signed(by: key)
    }
}
