import NIOCore

/// An uploaded file.
struct StoredFile: Sendable {
    let id: String
    let name: String
    let purpose: String
    let created: Int
    let content: ByteBuffer

    /// - Parameter status: `pending` just after an upload to the dated surface, `processed` later.
    func writeObject(status: StaticString, into buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"id\":")
        buffer.writeJSON(self.id)
        buffer.writeString(",\"object\":\"file\",\"bytes\":\(self.content.readableBytes),")
        buffer.writeString("\"created_at\":\(self.created),\"filename\":")
        buffer.writeJSON(self.name)
        buffer.writeStaticString(",\"purpose\":")
        buffer.writeJSON(self.purpose)
        buffer.writeString(",\"status\":\"\(status)\"}")
    }
}

/// The files that the resource keeps; when there are too many, or too much, the oldest go.
struct FileStore: Sendable {
    private static let maximumFiles = 1_000
    private static let maximumBytes = 256 * 1_024 * 1_024
    /// A name is repeated in every list.
    static let maximumNameBytes = 256

    private let store = BoundedStore<StoredFile>(maximumCount: maximumFiles, maximumBytes: maximumBytes)

    func insert(_ file: StoredFile) {
        self.store.insert(file, id: file.id, bytes: file.content.readableBytes)
    }

    func file(_ id: String) -> StoredFile? { self.store.value(id) }

    func remove(_ id: String) -> Bool { self.store.remove(id) != nil }

    var all: [StoredFile] { self.store.values() }
}
