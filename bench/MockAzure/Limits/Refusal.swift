/// Why a limiter turned a request away.
struct Refusal: Equatable {
    /// What ran out; the raw value is the name in `/mock/stats`.
    enum Kind: String {
        /// Requests of a standard deployment.
        case calls
        /// Estimated tokens of a standard deployment.
        case tokens
        /// A provisioned deployment is used by more than 100 %.
        case provisioned
    }

    let kind: Kind
    /// Milliseconds until the same request has a chance; at least 1.
    let retryAfter: Int
}
