internal import Synchronization

/// A stand-in for Entra ID that a gateway under test is pointed to by `authority`: one tenant's metadata and keys, and tokens of it.
package final class EntraStandIn: Sendable {
    package typealias Known = TokenDraft.Known

    package let server: DocumentServer
    private let keys: Mutex<[String: SigningKey]>

    /// - Parameter keys: by their ids.
    package init(_ keys: [String: SigningKey]) throws {
        server = try DocumentServer { _ in .close }
        self.keys = Mutex(keys)
        serve(keys)
    }

    deinit { server.close() }

    package var base: String { server.base }

    /// From now on it answers with these keys.
    package func serve(_ keys: [String: SigningKey]) {
        self.keys.withLock { $0 = keys }
        let base = server.base
        server.setScript { Self.answer(to: $0, base: base, keys) }
    }

    package func recover() { serve(keys.withLock { $0 }) }

    /// Nothing is answered until `server.release`.
    package func hold() {
        let (base, keys) = (server.base, keys.withLock { $0 })
        server.setScript { request in
            guard case .document(let status, let text, _) = Self.answer(to: request, base: base, keys) else {
                return .close
            }
            return .held(status, text)
        }
    }

    private static func answer(
        to request: DocumentServer.Request,
        base: String,
        _ keys: [String: SigningKey]
    ) -> DocumentServer.Answer {
        let tenant = Known.tenant
        func metadata(_ issuer: String, _ keys: String) -> DocumentServer.Answer {
            .document(200, "{\"issuer\":\"\(base)/\(tenant)\(issuer)\",\"jwks_uri\":\"\(base)/\(tenant)\(keys)\"}")
        }
        switch String(request.path) {
        case "/\(tenant)/.well-known/openid-configuration": return metadata("/", "/discovery/keys")
        case "/\(tenant)/v2.0/.well-known/openid-configuration": return metadata("/v2.0", "/discovery/v2.0/keys")
        case "/\(tenant)/discovery/keys", "/\(tenant)/discovery/v2.0/keys":
            let members = keys.sorted { $0.key < $1.key }.map { $1.jwk(id: $0) }
            return .document(200, "{\"keys\":[\(members.joined(separator: ","))]}")
        default: return .document(404, "{}")
        }
    }

    /// A token of this tenant that is good now.
    ///
    /// - Parameter now: seconds since 1970.
    package func good(_ draft: TokenDraft = .application, now: Int64) -> TokenDraft {
        draft.with("iss", "\"\(base)/\(Known.tenant)/v2.0\"").with("iat", "\(now - 5)").with("nbf", "\(now - 5)")
            .with("exp", "\(now + 3600)")
    }
}
