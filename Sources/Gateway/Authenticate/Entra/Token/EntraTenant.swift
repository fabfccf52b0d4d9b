/// A tenant whose tokens are taken, and what they must say.
package struct EntraTenant: Sendable, Equatable {
    /// Where its tokens and keys come from.
    package enum Authority: Sendable, Equatable {
        case cloud(EntraCloud)
        /// Scheme and host, without a slash at the end, of another server with Entra ID's metadata. Its own documents say which
        /// issuer it is.
        case other(String)
    }

    package let id: GUID
    /// The API's client id or an App ID URI of it; compared byte by byte.
    package let audiences: [String]
    package let authority: Authority
    /// Seconds by which clocks may differ.
    package let clockSkew: Int64

    package init(id: GUID, audiences: [String], authority: Authority, clockSkew: Int64 = 60) {
        self.id = id
        self.audiences = audiences
        self.authority = authority
        self.clockSkew = clockSkew
    }

    /// Whether a token for `audience` is for this gateway. Version 1 tokens carry an App ID URI as it was asked for, with or
    /// without a slash at its end.
    func takes(_ audience: String, version: TokenClaims.Version) -> Bool {
        let bytes = audience.utf8
        for own in audiences {
            if own.utf8.elementsEqual(bytes) { return true }
            if version == .v1, bytes.last == UInt8(ascii: "/"), own.utf8.elementsEqual(bytes.dropLast()) { return true }
            if version == .v1, own.utf8.last == UInt8(ascii: "/"), own.utf8.dropLast().elementsEqual(bytes) {
                return true
            }
        }
        return false
    }

    /// The issuer that a cloud's tokens of a version name; `nil` for an authority that says it itself.
    func issuer(_ version: TokenClaims.Version) -> String? {
        guard case .cloud(let cloud) = authority else { return nil }
        switch version {
        case .v1: return "\(cloud.issuerV1)/\(id)/"
        case .v2: return "\(cloud.base)/\(id)/v2.0"
        }
    }

    /// Scheme and host of the server with its metadata and keys.
    package var base: String {
        switch authority {
        case .cloud(let cloud): cloud.base
        case .other(let base): base
        }
    }

    /// The path of the document that says where the keys of a version are.
    func metadataPath(_ version: TokenClaims.Version) -> String {
        switch version {
        case .v1: "/\(id)/.well-known/openid-configuration"
        case .v2: "/\(id)/v2.0/.well-known/openid-configuration"
        }
    }
}

/// Azure's clouds that still exist.
package enum EntraCloud: String, Sendable, CaseIterable {
    case `public`
    case usGovernment = "usgov"
    case china

    package var base: String {
        switch self {
        case .public: "https://login.microsoftonline.com"
        case .usGovernment: "https://login.microsoftonline.us"
        case .china: "https://login.partner.microsoftonline.cn"
        }
    }

    /// Two clouds share one: that is why keys are taken from a cloud's own host only.
    var issuerV1: String {
        switch self {
        case .public, .usGovernment: "https://sts.windows.net"
        case .china: "https://sts.chinacloudapi.cn"
        }
    }
}
