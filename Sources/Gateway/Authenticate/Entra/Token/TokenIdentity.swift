/// Who calls, as a genuine token says; small, because a hundred thousand may be held.
package struct TokenIdentity: Sendable, Equatable {
    /// Index of the client in the configuration.
    package let client: Int
    /// Index of the tenant in the configuration.
    package let tenant: Int
    /// Whether an application calls for itself.
    package let isApplication: Bool
    /// The principal (`oid`).
    package let objectID: GUID?
    /// The calling application (`azp`, `appid`).
    package let application: GUID?
    /// The token's own name (`uti`).
    package let tokenID: TokenID
}
