/// What of a token identifies one client of the configuration; any of it is enough.
package struct ClientRule: Sendable, Equatable {
    /// Principals (`oid`): users, and applications that call for themselves.
    package var users: [GUID]
    /// Applications (`azp`, `appid`) that call for themselves. A user's token is never taken for its application's.
    package var applications: [GUID]
    package var roles: [String]
    package var groups: [GUID]

    package init(users: [GUID] = [], applications: [GUID] = [], roles: [String] = [], groups: [GUID] = []) {
        self.users = users
        self.applications = applications
        self.roles = roles
        self.groups = groups
    }
}

/// Which client a genuine token belongs to. Compiled once; the first client in file order that matches wins.
struct ClientRules: Sendable {
    private var users: [GUID: Int] = [:]
    private var applications: [GUID: Int] = [:]
    private var roles: [[UInt8]: Int] = [:]
    private var groups: [GUID: Int] = [:]
    /// The first client that a group could identify.
    private var firstWithGroups = Int.max

    /// - Parameter rules: those of each client, in file order.
    init(_ rules: [ClientRule]) {
        for (client, rule) in rules.enumerated() {
            for user in rule.users where users[user] == nil { users[user] = client }
            for application in rule.applications where applications[application] == nil {
                applications[application] = client
            }
            for role in rule.roles where roles[Array(role.utf8)] == nil { roles[Array(role.utf8)] = client }
            for group in rule.groups where groups[group] == nil { groups[group] = client }
            if !rule.groups.isEmpty { firstWithGroups = min(firstWithGroups, client) }
        }
    }

    /// The client's index.
    ///
    /// Every application of a tenant can get a token for every API of it, so a token alone permits nothing: it needs a role, a
    /// scope that its user's consent gave, or to be listed. Where the token does not say all its groups, and one of them could
    /// name an earlier client than what matches, nobody can tell which client it is.
    func client(of claims: TokenClaims) throws(TokenRefusal) -> Int {
        let isApplication = claims.isApplicationOnly
        let principal = claims.objectID.flatMap { users[$0] }
        let application = isApplication ? claims.application.flatMap { applications[$0] } : nil
        let isListed = isApplication && (principal != nil || application != nil)
        guard isListed || claims.hasScope && !isApplication || !claims.roles.isEmpty else { throw .noPermission }

        var found = min(principal ?? .max, application ?? .max)
        for role in claims.roles { found = min(found, roles[Array(role.utf8)] ?? .max) }
        switch claims.groups {
        case .none: break
        case .listed(let listed): for group in listed { found = min(found, groups[group] ?? .max) }
        case .unknown: if firstWithGroups < found { throw .groupsUnknown }
        }
        guard found != .max else { throw .noClient }
        return found
    }
}
