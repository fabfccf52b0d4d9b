extension KeySet {
    /// Bytes of the largest document; Entra ID's have about 15 KiB.
    static let maxDocumentBytes = 256 * 1024
    static let maxKeys = 64

    /// Reads a JSON Web Key Set (RFC 7517 section 5), taking only what can check Entra ID's signatures.
    ///
    /// Keys of another kind, another use, another tenant or another cloud are left out, as are weak ones and those that show
    /// their private half. A set that leaves none is an error: an empty answer must never lock everybody out.
    ///
    /// - Parameter earlier: keys that are there already are kept as they are, so that what was checked with them stays valid.
    convenience init(
        _ json: [UInt8],
        metadata: MetadataDocument,
        tenant: EntraTenant,
        earlier: KeySet?
    ) throws(KeyDocumentError) {
        let found = try Self.entries(json)
        let issuers = [metadata.issuer, tenant.issuer(.v2) ?? "\(tenant.base)/\(tenant.id)/v2.0"]
        var keys: [VerificationKey] = []
        for entry in found {
            guard let id = entry.id, TokenHeader.isKeyID(id), entry.isForSignatures,
                let modulus = entry.modulus.flatMap({ Base64URL.decoded($0) }),
                let exponent = entry.exponent.flatMap({ Base64URL.decoded($0) })
            else { continue }
            if let issuer = entry.issuer?.naming(tenant), !issuers.contains(issuer) { continue }
            if let cloud = entry.cloudInstance, let own = metadata.cloudInstance, cloud != own { continue }
            let bytes = Array(modulus.drop { $0 == 0 })
            if let twin = keys.first(where: { $0.id == id }) {
                if twin.modulus == bytes { continue }
                throw .ambiguous
            }
            if let known = earlier?[id], known.modulus == bytes {
                keys.append(known)
            } else if let key = try? VerificationKey(id: id, modulus: bytes, exponent: exponent) {
                keys.append(key)
            }
        }
        guard !keys.isEmpty else { throw .noKeys }
        self.init(issuer: metadata.issuer, keys: keys)
    }

    private struct Entry {
        var type: String?
        var use: String?
        var algorithm: String?
        var id: String?
        var modulus: String?
        var exponent: String?
        var issuer: String?
        var cloudInstance: String?
        var showsPrivateHalf = false

        var isForSignatures: Bool {
            type == "RSA" && use ?? "sig" == "sig" && algorithm ?? "RS256" == "RS256" && !showsPrivateHalf
        }

        mutating func read(_ name: JSONCursor.Name, from cursor: inout JSONCursor) throws(JSONProblem) {
            switch name {
            case "kty": type = try cursor.string()
            case "use": use = try cursor.string()
            case "alg": algorithm = try cursor.string()
            case "kid": id = try cursor.string()
            case "n": modulus = try cursor.string()
            case "e": exponent = try cursor.string()
            case "issuer": issuer = try cursor.string()
            case "cloud_instance_name": cloudInstance = try cursor.string()
            case "d", "p", "q", "dp", "dq", "qi", "oth", "k":
                showsPrivateHalf = true
                try cursor.skip()
            default: try cursor.skip()
            }
        }
    }

    private static func entries(_ json: [UInt8]) throws(KeyDocumentError) -> [Entry] {
        var entries: [Entry]?
        var isTooLong = false
        do throws(JSONProblem) {
            var cursor = try JSONCursor(json, maxDepth: 8)
            try cursor.object { (cursor, name) throws(JSONProblem) in
                guard "keys" ~= name else { return try cursor.skip() }
                var read: [Entry] = []
                try cursor.array { (cursor) throws(JSONProblem) in
                    guard read.count < maxKeys else {
                        isTooLong = true
                        return try cursor.skip()
                    }
                    var entry = Entry()
                    try cursor.object { (cursor, name) throws(JSONProblem) in try entry.read(name, from: &cursor) }
                    read.append(entry)
                }
                entries = read
            }
            try cursor.end()
        } catch {
            throw .malformed
        }
        if isTooLong { throw .tooManyKeys }
        guard let entries else { throw .incomplete }
        return entries
    }
}
