/// A path that names a thing which lives on one Azure resource, or makes one: `/openai/v1/responses/resp_123`.
struct ResourcePath: Equatable {
    enum Collection: String, CaseIterable {
        case responses
        case conversations
        case files
        case uploads
        case batches
        case assistants
        case threads
        case vectorStores = "vector_stores"
        case fineTuning = "fine_tuning"
        case containers
        case evals
        case videos

        /// How long its things are remembered after they were used last, in milliseconds. Azure keeps responses for 30 days,
        /// and most of the others until they are deleted.
        var term: Int64 {
            switch self {
            case .responses, .conversations, .batches, .uploads, .containers, .videos: 30 * Self.day
            case .files, .assistants, .threads, .vectorStores, .fineTuning, .evals: 366 * Self.day
            }
        }

        private static let day: Int64 = 86_400_000
    }

    let collection: Collection
    /// Decoded; `nil` for the collection itself.
    let id: String?

    /// - Parameter path: of a request, without dot segments, as `RequestTarget` lets it pass.
    /// - Returns: `nil` for every other path, at the cost of a look at its first segments.
    init?(_ path: Substring) {
        var segments = path.split(separator: "/").makeIterator()
        guard segments.next()?.isSame("openai") == true, var segment = segments.next() else { return nil }
        if segment.isSame("v1") {
            guard let next = segments.next() else { return nil }
            segment = next
        }
        guard let name = Self.decoded(segment)?.lowercased(), let collection = Collection(rawValue: name) else {
            return nil
        }
        self.collection = collection
        var next = segments.next()
        // /fine_tuning/jobs/{id}, and what makes a thread and runs it, or lists.
        if collection == .fineTuning { next = segments.next() }
        let id = next.flatMap { Self.decoded($0) }
        self.id = collection == .threads && id?.lowercased() == "runs" ? nil : id
    }

    private static func decoded(_ segment: Substring) -> String? {
        guard segment.utf8.contains(UInt8(ascii: "%")) else { return String(segment) }
        var bytes: [UInt8] = []
        var rest = segment.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let digits = String(rest.prefix(2)), let value = UInt8(digits, radix: 16) else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
