/// Where a tenant's keys of one version are, as Entra ID's metadata says it (OpenID Connect Discovery 1.0 section 4).
struct MetadataDocument: Equatable {
    let issuer: String
    /// Path and query of the keys, on the host that the metadata came from.
    let keysTarget: String
    let cloudInstance: String?

    /// Bytes of the largest document; Entra ID's have about 2 KiB.
    static let maxBytes = 64 * 1024
    private static let maxTarget = 512

    /// The document is only believed as far as it says what is known already: the tenant, and the host.
    init(_ json: [UInt8], tenant: EntraTenant, version: TokenClaims.Version) throws(KeyDocumentError) {
        var issuer: String?
        var keys: String?
        var cloud: String?
        do throws(JSONProblem) {
            var cursor = try JSONCursor(json, maxDepth: 8)
            try cursor.object { (cursor, name) throws(JSONProblem) in
                switch name {
                case "issuer": issuer = try cursor.string()
                case "jwks_uri": keys = try cursor.string()
                case "cloud_instance_name": cloud = try cursor.string()
                default: try cursor.skip()
                }
            }
            try cursor.end()
        } catch {
            throw .malformed
        }
        guard let issuer, let keys else { throw .incomplete }
        let known = issuer.naming(tenant)
        if let expected = tenant.issuer(version) {
            guard known.utf8.elementsEqual(expected.utf8) else { throw .issuer }
        } else {
            guard known.split(separator: "/").contains("\(tenant.id)") else { throw .issuer }
        }
        guard keys.utf8.starts(with: tenant.base.utf8) else { throw .keysElsewhere }
        let target = keys.utf8.dropFirst(tenant.base.utf8.count)
        guard target.first == UInt8(ascii: "/"), target.count <= Self.maxTarget,
            target.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") })
        else { throw .keysElsewhere }
        self.issuer = known
        keysTarget = String(Substring(target))
        cloudInstance = cloud
    }
}

/// Why documents give no keys. What was there before goes on to count.
enum KeyDocumentError: String, Error {
    case malformed = "not_json"
    case incomplete = "member_missing"
    /// Another tenant's, or another cloud's.
    case issuer = "issuer_mismatch"
    /// The keys are said to be at another host.
    case keysElsewhere = "keys_at_another_host"
    case noKeys = "no_usable_key"
    case tooManyKeys = "too_many_keys"
    /// One id for two keys: which of them it names, nobody can tell.
    case ambiguous = "key_id_twice"
}

extension String {
    /// With the tenant in the place of "{tenantid}", which documents for several tenants have.
    func naming(_ tenant: EntraTenant) -> String {
        let parts = split(separator: "{tenantid}", omittingEmptySubsequences: false)
        return parts.count == 1 ? self : parts.joined(separator: "\(tenant.id)")
    }
}
