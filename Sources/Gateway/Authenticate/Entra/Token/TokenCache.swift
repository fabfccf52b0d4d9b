/// Tokens that were found genuine a while ago, by the SHA-256 of all their bytes. One for each event loop; never shared, never
/// stored.
///
/// It spares a signature and two JSON documents, and nothing else: that the token has not expired, that its key is still
/// there and that the policy is the same is asked at every hit. Only what was let in is kept, so a stranger can put
/// nothing in.
struct TokenCache {
    /// Tokens of one event loop.
    static let maxEntries = 65_536
    /// Bytes that they may take together.
    static let maxBytes = 16 << 20

    struct Entry {
        let identity: TokenIdentity
        let key: VerificationKey
        /// Seconds since 1970. Clocks may differ when a token is judged; what is kept ends on time.
        let expires: Int64
        let version: TokenClaims.Version
        let epoch: UInt32
        /// Seconds since 1970.
        var lastUsed: UInt32
    }

    private var table: BoundedTable<KeyDigest, Entry>

    init(maxEntries: Int = TokenCache.maxEntries, maxBytes: Int = TokenCache.maxBytes) {
        let affordable = max(1, maxBytes / BoundedTable<KeyDigest, Entry>.entryBytes)
        // The table rounds up to a power of two.
        var capacity = BoundedTable<KeyDigest, Entry>.ways
        while capacity * 2 <= min(maxEntries, affordable) { capacity *= 2 }
        table = BoundedTable(capacity: capacity)
    }

    var count: Int { table.count }
    var capacity: Int { table.capacity }
    static var entryBytes: Int { BoundedTable<KeyDigest, Entry>.entryBytes }

    /// - Parameter isCurrent: whether the tenant's keys still hold the entry's key.
    mutating func identity(
        of digest: KeyDigest,
        now: Int64,
        epoch: UInt32,
        isCurrent: (borrowing Entry) -> Bool
    ) -> TokenIdentity? {
        table.withValue(of: digest, hash: digest.hash) { entry in
            guard now < entry.expires, entry.epoch == epoch, isCurrent(entry) else { return (nil, keep: false) }
            entry.lastUsed = UInt32(truncatingIfNeeded: now)
            return (entry.identity, keep: true)
        } ?? nil
    }

    mutating func keep(_ entry: Entry, for digest: KeyDigest, now: Int64) {
        guard now < entry.expires else { return }
        table.set(digest, hash: digest.hash, to: entry) { $0.expires <= now ? -1 : Int64($0.lastUsed) }
    }
}

extension KeyDigest {
    /// A digest is as good a hash as there is; the table takes as many bits as it needs.
    fileprivate var hash: Int { Int(truncatingIfNeeded: prefix) }
}
