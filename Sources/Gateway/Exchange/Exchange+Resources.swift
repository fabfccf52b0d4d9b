internal import Coordination
internal import NIOCore
internal import Transport

/// Things that live on one Azure resource: remembered with who made them, and asked for where they are.
extension Exchange {
    /// What is to be remembered of an answer.
    struct ResourceCapture {
        let term: Int64
        var bytes = ByteBuffer()
        var known: Set<String> = []

        /// Ids stand at the beginning of an answer.
        static let mostBytes = 16 * 1024
        /// Members of answers that name things.
        static let wanted: Set = ["id", "thread_id", "output_file_id", "error_file_id"]
    }

    /// Members of requests that name things, as they stand in a body.
    private static let namedByResponses: [StaticString] = ["\"previous_response_id", "\"conversation"]
    private static let named: [StaticString] = [
        "\"input_file_id", "\"training_file", "\"validation_file", "\"assistant_id", "\"thread_id",
    ]
    /// A letter of a name may be spelled with one of these.
    private static let escapes: [StaticString] = ["\\u005", "\\u006", "\\u007"]

    /// The ids that the request names: in its path, and in the body where it makes something of other things.
    func resourcesNamed(by path: ResourcePath, _ payload: Payload) -> [String] {
        var ids = path.id.map { [$0] } ?? []
        guard case .memory = payload, let body, body.count > 0 else { return ids }
        let names = path.collection == .responses ? Self.namedByResponses : Self.named
        // A look that is cheap for the many that name nothing.
        guard (names + Self.escapes).contains(where: { body.bytes.offset(of: $0) != nil }) else { return ids }
        let members = JSONMembers(
            body.bytes,
            wanted: Set(names.map { String("\($0)".dropFirst()) } + ["id"]),
            inner: "conversation"
        )
        for (name, text) in members.texts where name != "id" || path.collection == .responses { ids.append(text) }
        return ids
    }

    /// Finds out where all of them are, one after the other; there is seldom more than one.
    ///
    /// - Parameter then: gets the endpoint that holds them, `nil` where nobody has seen them.
    func findResources(_ ids: [String], then: @escaping (Result<String?, GatewayError>) -> Void) {
        find(ids[...], at: nil, then: then)
    }

    private func find(
        _ ids: ArraySlice<String>,
        at place: String?,
        then: @escaping (Result<String?, GatewayError>) -> Void
    ) {
        guard let id = ids.first else { return then(.success(place)) }
        worker.owners.find(id, on: worker.eventLoop) { [self] answer in
            switch answer {
            case .unavailable:
                then(.failure(.limiterUnavailable))
            case .unknown:
                find(ids.dropFirst(), at: place, then: then)
            case .owner(let owner) where owner.client != client?.name:
                then(.failure(.unknownResource(id)))
            case .owner(let owner) where place != nil && owner.endpoint != place:
                then(.failure(.resourcesApart))
            case .owner(let owner):
                find(ids.dropFirst(), at: owner.endpoint, then: then)
            }
        }
    }

    // MARK: remember

    /// Reads the beginning of an answer for what it made.
    func captureResources(_ bytes: UnsafeRawBufferPointer) {
        guard var capture = resources, let client, let endpoint = record.endpoint else { return }
        resources = nil  // so that the buffer is not copied
        capture.bytes.writeBytes(UnsafeRawBufferPointer(rebasing: bytes.prefix(ResourceCapture.mostBytes)))
        let owner = ResourceOwner(client: client.name, endpoint: snapshot.endpoints[endpoint].name)
        for id in capture.newIDs(isStream: answer?.isStream ?? false) {
            worker.owners.remember(id, owner, term: capture.term, on: worker.eventLoop)
        }
        if capture.bytes.readableBytes < ResourceCapture.mostBytes { resources = capture }
    }
}

extension Exchange.ResourceCapture {
    fileprivate mutating func newIDs(isStream: Bool) -> [String] {
        let found = bytes.withUnsafeReadableBytes { bytes -> [String] in
            guard isStream else { return JSONMembers(bytes, wanted: Self.wanted).texts.map(\.text) }
            var ids: [String] = []
            var start = 0
            while let data = bytes.offset(of: "data:", from: start) {
                let members = JSONMembers(
                    UnsafeRawBufferPointer(rebasing: bytes[(data + 5)...]),
                    wanted: Self.wanted,
                    inner: "response"
                )
                ids += members.texts.map(\.text)
                start = data + 5
                // The first event names what was made.
                if !ids.isEmpty { break }
            }
            return ids
        }
        return found.filter { !$0.isEmpty && known.insert($0).inserted }
    }
}

extension GatewayError {
    /// The same for what does not exist and for what is another client's.
    static func unknownResource(_ id: String) -> Self {
        Self(404, "NotFound", "Nothing with the id '\(id.prefix(80))' was found.", source: .downstream)
    }

    static let resourcesApart = Self(
        400,
        "InvalidRequest",
        "The request names things that live on different Azure OpenAI resources.",
        source: .downstream
    )

    static func modelElsewhere(_ model: String?) -> Self {
        Self(
            404,
            "DeploymentNotFound",
            "The model '\(model ?? "")' has no deployment where the things are that the request names.",
            source: .downstream
        )
    }
}
