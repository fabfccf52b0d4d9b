import NIOCore
import NIOHTTP1

extension MockResource {
    /// Upload and list.
    func serveFiles(_ request: inout IncomingRequest, loop: LoopState, now: Int) throws(BadRequest) -> Answer {
        if request.head.method == .POST { return try self.upload(&request, loop: loop, now: now) }
        var body = ByteBuffer()
        body.writeStaticString("{\"object\":\"list\",\"data\":[")
        for (index, file) in self.files.all.enumerated() {
            if index > 0 { body.writeStaticString(",") }
            file.writeObject(status: "processed", into: &body)
        }
        // Without this word the SDK asks for the next page, again and again.
        body.writeStaticString("],\"has_more\":false}")
        return Answer(.whole(body))
    }

    private func upload(_ request: inout IncomingRequest, loop: LoopState, now: Int) throws(BadRequest) -> Answer {
        let form = try MultipartForm(request.body, contentType: request.contentType)
        try form.readFaults(into: &request.faults)
        guard let part = form.files.first else { throw BadRequest("Missing required parameter: 'file'.") }
        guard let purpose = form.fields["purpose"] else { throw BadRequest("Missing required parameter: 'purpose'.") }
        guard max(part.name.utf8.count, purpose.utf8.count) <= FileStore.maximumNameBytes else {
            throw BadRequest("'filename' and 'purpose' have at most \(FileStore.maximumNameBytes) bytes.")
        }
        let file = StoredFile(
            id: Self.newFileID(loop),
            name: part.name,
            purpose: purpose,
            created: now,
            content: Self.copy(part.range, of: request.body)
        )
        let isDated = request.route.surface != .v1
        var body = ByteBuffer()
        file.writeObject(status: isDated ? "pending" : "processed", into: &body)
        var answer = Answer(.whole(body))
        answer.status = isDated ? 201 : 200
        answer.kept = .file(file)
        return answer
    }

    /// A file, its content, or its end.
    func serveFile(_ request: IncomingRequest) -> Answer {
        let id = request.route.itemID ?? ""
        var body = ByteBuffer()
        if request.head.method == .DELETE {
            guard self.files.remove(id) else { return Answer(.unknownFile(id)) }
            body.writeStaticString("{\"id\":")
            body.writeJSON(id)
            body.writeStaticString(",\"object\":\"file\",\"deleted\":true}")
            return Answer(.whole(body))
        }
        guard let file = self.files.file(id) else { return Answer(.unknownFile(id)) }
        if request.route.kind == .fileContent {
            var answer = Answer(.whole(file.content))
            answer.contentType = "application/octet-stream"
            return answer
        }
        file.writeObject(status: "processed", into: &body)
        return Answer(.whole(body))
    }

    private static func newFileID(_ loop: LoopState) -> String {
        var id = ByteBuffer()
        id.writeStaticString("file-")
        id.writeHex(loop.nextID(), digits: 16)
        id.writeHex(loop.nextID(), digits: 16)
        return String(buffer: id)
    }

    /// A copy, so that the file does not hold the whole request.
    private static func copy(_ range: Range<Int>, of body: ByteBuffer) -> ByteBuffer {
        guard let part = body.viewBytes(at: body.readerIndex + range.lowerBound, length: range.count) else {
            preconditionFailure("a part of the form is outside of the body it was found in")
        }
        return ByteBuffer(bytes: part)
    }
}

extension AzureError {
    static func unknownFile(_ id: String) -> AzureError {
        self.aboutItem(404, "No such File object: \(id)", param: "id", code: nil)
    }
}
