/// What the configuration says of tokens; immutable. A change makes a new one with another epoch.
package final class TokenPolicy: Sendable {
    package let tenants: [EntraTenant]
    let rules: ClientRules
    /// Identities that an earlier policy let in are judged anew.
    let epoch: UInt32
    private let tenantIndex: [GUID: Int]

    /// - Parameters:
    ///   - tenants: each id once.
    ///   - clients: the rules of each client of the configuration, in file order.
    package init(tenants: [EntraTenant], clients: [ClientRule], epoch: UInt32) {
        self.tenants = tenants
        rules = ClientRules(clients)
        self.epoch = epoch
        tenantIndex = Dictionary(tenants.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    func tenant(_ id: GUID) -> Int? { tenantIndex[id] }

    /// Whether a token says the right things for a tenant; of its signature nothing is said here.
    ///
    /// - Parameters:
    ///   - issuer: the tenant's, of the token's version.
    ///   - now: seconds since 1970.
    func check(
        _ claims: TokenClaims,
        version: TokenClaims.Version,
        tenant: EntraTenant,
        issuer: String,
        now: Int64
    ) throws(TokenRefusal) {
        guard let claimed = claims.issuer else { throw .claimMissing }
        guard claimed.utf8.elementsEqual(issuer.utf8) else { throw .issuer }
        guard claims.audiences.contains(where: { tenant.takes($0, version: version) }) else { throw .audience }
        guard let expires = claims.expires else { throw .claimMissing }
        guard now < expires + tenant.clockSkew else { throw .expired }
        if let notBefore = claims.notBefore, notBefore > now + tenant.clockSkew { throw .notYetValid }
        if let issuedAt = claims.issuedAt, issuedAt > now + tenant.clockSkew { throw .issuedInFuture }
        if claims.isBound { throw .bound }
    }
}
