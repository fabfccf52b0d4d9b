/// Why a bearer token is not taken: for logs and metrics, never for the caller.
package enum TokenRefusal: String, Error, CaseIterable, Sendable {
    // The header field.
    case notBearer = "not_bearer"
    case tooLong = "token_too_long"
    // The form.
    case notThreeParts = "not_three_parts"
    case notBase64URL = "not_base64url"
    case headerTooLong = "header_too_long"
    case headerMalformed = "header_malformed"
    case headerDuplicate = "header_duplicate_member"
    /// A member that changes how the token is to be read, or names another key: `crit`, `jku`, `nonce` and their like.
    case headerMember = "header_member_refused"
    case algorithm = "algorithm_refused"
    case type = "type_refused"
    case keyID = "key_id_malformed"
    case payloadMalformed = "payload_malformed"
    case payloadDuplicate = "payload_duplicate_member"
    // Who signed it.
    case tenant = "tenant_unknown"
    case version = "version_unknown"
    case key = "key_unknown"
    case signatureLength = "signature_length"
    case signature = "signature_invalid"
    // What it says.
    case claimMissing = "claim_missing"
    case claimMalformed = "claim_malformed"
    case issuer = "issuer_mismatch"
    case audience = "audience_mismatch"
    case expired = "expired"
    case notYetValid = "not_yet_valid"
    case issuedInFuture = "issued_in_future"
    /// It is bound to a key that its bearer must prove to hold (RFC 7800), which a plain bearer does not.
    case bound = "bound_to_a_key"
    // What it is good for: it is genuine, and still not enough.
    /// No role, no scope, and no principal or application that the configuration lists.
    case noPermission = "no_permission"
    /// Too many groups to be listed in the token, and a group could have decided.
    case groupsUnknown = "groups_unknown"
    /// No client of the configuration matches.
    case noClient = "no_client"
    // The gateway's own trouble.
    /// The tenant's keys could not be fetched so far.
    case keysUnavailable = "keys_unavailable"
    case tooManyWaiting = "too_many_waiting_for_keys"

    package enum Kind: Sendable {
        /// 401: the token proves nothing.
        case invalid
        /// 403: the token is genuine and its holder may not call.
        case forbidden
        /// 503: it cannot be judged now.
        case unavailable
    }

    package var kind: Kind {
        switch self {
        case .notBearer, .tooLong, .notThreeParts, .notBase64URL, .headerTooLong, .headerMalformed, .headerDuplicate,
            .headerMember, .algorithm, .type, .keyID, .payloadMalformed, .payloadDuplicate, .tenant, .version, .key,
            .signatureLength, .signature, .claimMissing, .claimMalformed, .issuer, .audience, .expired, .notYetValid,
            .issuedInFuture, .bound:
            .invalid
        case .noPermission, .groupsUnknown, .noClient: .forbidden
        case .keysUnavailable, .tooManyWaiting: .unavailable
        }
    }
}
