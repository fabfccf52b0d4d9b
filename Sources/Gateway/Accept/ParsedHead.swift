internal import NIOHTTP1

/// What a request's head says, once it is known to be a valid one. It moves into its exchange and is never copied.
struct ParsedHead: ~Copyable {
    let fields: RequestFields
    let target: RequestTarget

    /// Reads the head.
    ///
    /// - Throws: what is wrong with it.
    init(_ head: HTTPRequestHead, _ limits: Snapshot.Limits) throws(GatewayError) {
        let uri = head.uri
        guard uri.utf8.count <= limits.targetBytes else { throw .targetTooLong(limit: limits.targetBytes) }
        let fields = try RequestFields(head, maxFields: limits.headerCount, maxBytes: limits.headerBytes)
        let target = try RequestTarget.parse(uri).get()
        self.fields = fields
        self.target = target
    }
}

extension Result<ParsedHead, GatewayError> {
    /// `Connection` lists it.
    var asksForUpgrade: Bool {
        switch self {
        case .success(let parsed): parsed.fields.connectionNames.contains("upgrade")
        case .failure: false
        }
    }
}
