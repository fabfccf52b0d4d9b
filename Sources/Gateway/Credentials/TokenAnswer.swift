/// A token as a token service gave it, with its time left.
struct AccessToken: Sendable, Equatable {
    /// The whole value of `Authorization`.
    let authorization: String
    /// Seconds from when it was given.
    let lifetime: Int64

    /// Bytes of the largest token that is taken.
    static let maxBytes = 16 * 1024
    /// Bytes of the largest answer that is read.
    static let maxAnswerBytes = 64 * 1024
    /// Azure's tokens for managed identities live 24 hours; whatever claims to live longer is asked for anew after this.
    private static let maxLifetime: Int64 = 7 * 24 * 3600

    /// - Parameters:
    ///   - json: the answer's body.
    ///   - now: seconds since 1970, for services that only say when a token ends.
    init(_ json: [UInt8], now: Int64) throws(CredentialFailure) {
        var token: String?
        var type: String?
        var expiresIn: Int64?
        var expiresOn: Int64?
        do throws(JSONProblem) {
            var cursor = try JSONCursor(json, maxDepth: 8)
            try cursor.object { (cursor, name) throws(JSONProblem) in
                switch name {
                case "access_token": token = try cursor.string()
                case "token_type": type = try cursor.string()
                case "expires_in": expiresIn = try cursor.seconds()
                case "expires_on": expiresOn = try cursor.seconds()
                default: try cursor.skip()
                }
            }
            try cursor.end()
        } catch {
            throw .malformed
        }
        guard let token, (1...Self.maxBytes).contains(token.utf8.count),
            token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
            type?.isSame("bearer") ?? true,
            let left = expiresIn ?? expiresOn.map({ $0 - now }), left > 0
        else { throw .malformed }
        authorization = "Bearer \(token)"
        lifetime = min(left, Self.maxLifetime)
    }
}

extension JSONCursor {
    /// A whole number, or one in a string: the services differ. `nil` for a string that is none (App Service once gave dates).
    fileprivate mutating func seconds() throws(JSONProblem) -> Int64? {
        if try kind() != .string { return try integer() }
        let text = try string()
        guard text.utf8.count <= 15, text.utf8.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
        return Int64(text)
    }
}

/// Why there is no token; decides when to ask again.
enum CredentialFailure: Error, Equatable {
    /// The service said so, with a time to wait where it named one.
    case status(Int, retryAfterSeconds: Int?)
    case transfer(reason: String)
    /// An answer that is not a token.
    case malformed
    /// The federated token's file, or an endpoint's URL, cannot be used.
    case configuration(reason: String)

    /// For logs.
    var reason: String {
        switch self {
        case .status(let status, _): "status_\(status)"
        case .transfer(let reason): reason
        case .malformed: "not_a_token"
        case .configuration(let reason): reason
        }
    }

    /// Azure's advice for instance metadata: 404, 410, 429 and 5xx pass; other 4xx are somebody's mistake.
    var mayPassSoon: Bool {
        switch self {
        case .status(let status, _): status == 404 || status == 408 || status == 410 || status == 429 || status >= 500
        case .transfer, .malformed: true
        case .configuration: false
        }
    }
}
