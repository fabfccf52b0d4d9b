/// The claims of a token that decide something, read strictly; true only once the signature is.
struct TokenClaims {
    /// Which of Entra ID's two forms it has. The application's registration chooses it, not the caller.
    enum Version: Int, Sendable, CaseIterable {
        case v1 = 0
        case v2 = 1
    }

    enum Groups: Equatable {
        /// The application asks for none, or the principal is in none.
        case none
        case listed([GUID])
        /// More than fit (200 in a token): Entra ID leaves them out and says where they could be asked for.
        case unknown
    }

    fileprivate(set) var version: Version?
    fileprivate(set) var issuer: String?
    fileprivate(set) var tenant: GUID?
    fileprivate(set) var audiences: [String] = []
    /// Seconds since 1970, as the next two.
    fileprivate(set) var expires: Int64?
    fileprivate(set) var notBefore: Int64?
    fileprivate(set) var issuedAt: Int64?
    /// The principal: a user, or an application's service principal.
    fileprivate(set) var objectID: GUID?
    fileprivate(set) var subject: String?
    /// `appid` of version 1, `azp` of version 2.
    fileprivate(set) var applicationV1: GUID?
    fileprivate(set) var applicationV2: GUID?
    fileprivate(set) var kind: String?
    fileprivate(set) var hasScope = false
    fileprivate(set) var roles: [String] = []
    fileprivate(set) var listedGroups: [GUID] = []
    fileprivate(set) var hasMoreGroups = false
    fileprivate(set) var isBound = false
    fileprivate(set) var tokenID = TokenID()

    static let maxDepth = 16
    /// Audiences of one token; Entra ID gives one.
    static let maxAudiences = 16

    /// - Parameter json: the decoded payload.
    init(_ json: [UInt8]) throws(TokenRefusal) {
        do throws(JSONProblem) {
            var cursor = try JSONCursor(json, maxDepth: Self.maxDepth)
            guard try cursor.kind() == .object else { throw .malformed }
            try cursor.object { (cursor, name) throws(JSONProblem) in try self.read(name, from: &cursor) }
            try cursor.end()
        } catch {
            switch error {
            case .duplicateMember: throw .payloadDuplicate
            case .malformed, .tooDeep, .tooManyMembers: throw .payloadMalformed
            case .wrongType: throw .claimMalformed
            }
        }
    }

    /// The calling application.
    var application: GUID? { version == .v1 ? applicationV1 : applicationV2 }

    /// Whether an application called for itself. Without `idtyp`, which the API must ask for, an application's token is known
    /// by having no scope and its own principal for a subject.
    var isApplicationOnly: Bool {
        guard !hasScope else { return false }
        if let kind { return kind == "app" }
        guard let objectID, let subject else { return false }
        return GUID(subject) == objectID
    }

    var groups: Groups {
        if hasMoreGroups { return .unknown }
        return listedGroups.isEmpty ? .none : .listed(listedGroups)
    }
}

extension TokenClaims {
    private mutating func read(_ name: JSONCursor.Name, from cursor: inout JSONCursor) throws(JSONProblem) {
        switch name {
        case "ver":
            switch try cursor.string() {
            case "1.0": version = .v1
            case "2.0": version = .v2
            default: break
            }
        case "iss": issuer = try cursor.string()
        case "tid": tenant = try cursor.guid()
        case "aud": audiences = try cursor.audiences(atMost: Self.maxAudiences)
        case "exp": expires = try cursor.time()
        case "nbf": notBefore = try cursor.time()
        case "iat": issuedAt = try cursor.time()
        case "oid": objectID = try cursor.guid()
        case "sub": subject = try cursor.string()
        case "appid": applicationV1 = try cursor.guid()
        case "azp": applicationV2 = try cursor.guid()
        case "idtyp": kind = try cursor.string()
        case "scp": hasScope = try cursor.string().utf8.contains { $0 != UInt8(ascii: " ") }
        case "roles": roles = try cursor.strings()
        case "groups": listedGroups = try cursor.strings().compactMap { GUID($0) }
        case "hasgroups":
            // Entra ID has written it as a boolean and as a string.
            if try cursor.kind() == .string {
                if try cursor.string() == "true" { hasMoreGroups = true }
            } else if try cursor.boolean() {
                hasMoreGroups = true
            }
        case "_claim_names":
            try cursor.object { (cursor, name) throws(JSONProblem) in
                if "groups" ~= name { hasMoreGroups = true }
                try cursor.skip()
            }
        case "cnf":
            isBound = true
            try cursor.skip()
        case "uti": tokenID = TokenID(try cursor.string())
        default: try cursor.skip()
        }
    }
}

extension JSONCursor {
    fileprivate mutating func guid() throws(JSONProblem) -> GUID {
        guard let guid = GUID(try string()) else { throw .wrongType }
        return guid
    }

    /// A NumericDate (RFC 7519 section 2) that is whole and not before 1970.
    fileprivate mutating func time() throws(JSONProblem) -> Int64 {
        let seconds = try integer()
        guard seconds >= 0 else { throw .wrongType }
        return seconds
    }

    fileprivate mutating func strings() throws(JSONProblem) -> [String] {
        var strings: [String] = []
        try array { (cursor) throws(JSONProblem) in strings.append(try cursor.string()) }
        return strings
    }

    fileprivate mutating func audiences(atMost limit: Int) throws(JSONProblem) -> [String] {
        if try kind() == .string { return [try string()] }
        let audiences = try strings()
        guard audiences.count <= limit else { throw .wrongType }
        return audiences
    }
}
