/// The request that asks for a token, as text. Pure: the driver sends it.
struct TokenRequest: Equatable {
    let method: String
    /// Scheme and authority.
    let base: String
    let target: String
    let headers: [(name: String, value: String)]
    /// `application/x-www-form-urlencoded`; `nil` for none.
    let form: String?

    static func == (one: Self, other: Self) -> Bool {
        one.method == other.method && one.base == other.base && one.target == other.target && one.form == other.form
            && one.headers.elementsEqual(other.headers, by: ==)
    }

    /// Bytes of the largest federated token that is read from its file.
    static let maxAssertionBytes = 16 * 1024

    /// - Parameter resource: the audience, such as `https://cognitiveservices.azure.com`.
    static func managedIdentity(_ identity: ManagedIdentity, resource: String) -> TokenRequest? {
        let client = identity.clientID.map { "&client_id=\(escaped($0))" } ?? ""
        switch identity.service {
        case .instanceMetadata:
            return TokenRequest(
                method: "GET",
                base: ManagedIdentity.instanceMetadataBase,
                target: "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=\(escaped(resource))\(client)",
                headers: [("Metadata", "true")],
                form: nil
            )
        case .platform(let endpoint, let header):
            guard let (base, path) = split(endpoint) else { return nil }
            let joint = path.contains("?") ? "&" : "?"
            return TokenRequest(
                method: "GET",
                base: base,
                target: "\(path)\(joint)api-version=2019-08-01&resource=\(escaped(resource))\(client)",
                headers: [("X-IDENTITY-HEADER", header.reveal())],
                form: nil
            )
        }
    }

    /// - Parameter assertion: the federated token, as the file has it at this moment.
    static func workloadIdentity(_ identity: WorkloadIdentity, resource: String, assertion: String) -> TokenRequest {
        let type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        return exchange(
            authority: identity.authority,
            tenant: identity.tenant,
            clientID: identity.clientID,
            resource: resource,
            proof: "client_assertion_type=\(escaped(type))&client_assertion=\(escaped(assertion))"
        )
    }

    static func clientSecret(_ secret: ClientSecret, resource: String) -> TokenRequest {
        exchange(
            authority: secret.authority,
            tenant: secret.tenant,
            clientID: secret.clientID,
            resource: resource,
            proof: "client_secret=\(escaped(secret.secret.reveal()))"
        )
    }

    private static func exchange(
        authority: String,
        tenant: String,
        clientID: String,
        resource: String,
        proof: String
    ) -> TokenRequest {
        let scope = resource.hasSuffix("/") ? "\(resource).default" : "\(resource)/.default"
        return TokenRequest(
            method: "POST",
            base: authority,
            target: "/\(escaped(tenant))/oauth2/v2.0/token",
            headers: [("Content-Type", "application/x-www-form-urlencoded")],
            form: "client_id=\(escaped(clientID))&scope=\(escaped(scope))&grant_type=client_credentials&\(proof)"
        )
    }

    /// Scheme and authority, and the path with its query.
    private static func split(_ url: String) -> (base: String, path: String)? {
        guard let scheme = url.firstRange(of: "://") else { return nil }
        guard let slash = url[scheme.upperBound...].firstIndex(of: "/") else { return (url, "/") }
        return (String(url[..<slash]), String(url[slash...]))
    }

    /// Percent-encoded but for the unreserved characters (RFC 3986 section 2.3).
    static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            default:
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
