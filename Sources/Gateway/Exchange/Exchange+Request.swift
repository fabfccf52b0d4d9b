internal import DequeModule
internal import NIOCore
internal import NIOHTTP1
internal import Transport

/// The way of the request's body: read and then forwarded, or forwarded as it comes.
extension Exchange {
    /// What an attempt sends as the request's body.
    enum Payload {
        case none
        /// `body`, which can be sent again.
        case memory
        /// What is in `upload`, as it comes. `length` as the client promised it.
        case stream(length: Int?)
        /// The first bytes are in `body`: so many were collected before the model was found. The rest is in `upload`.
        case form(collected: Int, length: Int?)
    }

    /// Keeps what a JSON body said about itself.
    private func note(_ request: JSONRequestReader.Request, renames: Bool) {
        record.isStream = request.stream
        facts = request.facts
        let splice = StreamOptionsSplice(request.facts, operation: operation)
        guard renames || splice != nil else { return }
        edits = BodyEdits(model: renames ? request.model : nil, at: request.modelRange, splice: splice)
    }

    /// Makes the body fit the deployment.
    func edit(for deployment: ModelRoute.Deployment, asksForUsage: Bool) {
        guard let body, edits != nil else { return }
        if let name = deployment.name { edits?.rename(to: name, in: body) }
        edits?.askForUsage(asksForUsage, in: body)
    }

    /// The request's body as the transfer takes it.
    func transferBody(_ payload: Payload) -> TransferRequest.Body {
        switch payload {
        case .none:
            return .none
        case .memory:
            return body.map { .memory($0) } ?? .none
        case .stream(let length):
            return .stream(length: length)
        case .form(let collected, let length):
            guard let body else { return .stream(length: length) }
            if upload.head > 0 {
                // An attempt that never read it has put it there, with its own deployment's name.
                upload.waiting.removeFirst()
                upload.bytes -= upload.head
            }
            upload.head = body.count
            upload.waiting.prepend(ByteBuffer(bytes: body.bytes))
            upload.bytes += body.count
            return .stream(length: length.map { $0 + body.count - collected })
        }
    }

    /// Bytes of a streamed request body that may wait for Azure before the client is no longer read.
    static let maxUploadBacklog = 64 * 1024

    /// A streamed request body on its way to Azure.
    struct Upload {
        var waiting = Deque<ByteBuffer>()
        var bytes = 0
        var isComplete = false
        /// An attempt has taken some of it: it cannot be sent again.
        var wasRead = false
        /// Bytes of `body` that are the first of `waiting`.
        var head = 0
    }

    private enum BodyPlan {
        case none
        /// JSON: it names its model, and can be sent again.
        case collect
        /// A form that names its model in a field; held until that is found.
        case scan(MultipartModelScanner)
        /// Anything else.
        case stream
    }

    func takeBody() {
        let limits = snapshot.limits
        if let length = fields.contentLength, length > limits.bodyBytes {
            return perform(machine.refused(.bodyTooLarge(limit: limits.bodyBytes)))
        }
        // A pattern, here and below: `==` would compare names.
        switch head.method {
        case .CONNECT, .TRACE: return perform(machine.refused(.methodNotAllowed))
        default: break
        }
        let plan: BodyPlan
        switch bodyPlan() {
        case .success(let found): plan = found
        case .failure(let error): return perform(machine.refused(error))
        }
        switch plan {
        case .none:
            admit(model: pathModel, payload: .none, upload: .complete)
        case .collect:
            body = worker.takeBody(expected: min(fields.contentLength ?? 0, limits.bodyBytes))
            askForBody()
        case .scan(let scanner):
            self.scanner = scanner
            body = BodyStorage(expected: 16 * 1024)
            askForBody()
        case .stream:
            admit(model: pathModel, payload: .stream(length: fields.contentLength), upload: .open)
            if machine.state != .ended { askForBody() }
        }
    }

    private var pathModel: String? {
        if case .deployment(let name, _) = target.kind { name } else { nil }
    }

    private func askForBody() {
        guard awaitsContinue else { return }
        awaitsContinue = false
        connection.sayContinue()
    }

    private func bodyPlan() -> Result<BodyPlan, GatewayError> {
        // Content in a HEAD request means nothing (RFC 9110 section 9.3.2); it is read and dropped.
        if case .HEAD = head.method { return .success(.none) }
        guard fields.isChunked || (fields.contentLength ?? 0) > 0 else { return .success(.none) }
        // Nearly all say no more than that.
        if let type = fields.contentType, !type.isSame("application/json") {
            let media = type.mediaType
            if media.isSame("multipart/form-data") {
                if case .deployment = target.kind { return .success(.stream) }
                guard let scanner = MultipartModelScanner(contentType: type) else {
                    return .failure(
                        .badRequest("InvalidRequest", "The Content-Type names no valid multipart boundary.")
                    )
                }
                return .success(.scan(scanner))
            }
            guard Self.mayBeJSON(media) else { return .success(.stream) }
        }
        if let encoding = fields.contentEncoding, !encoding.isSame("identity") {
            return .failure(
                GatewayError(
                    415,
                    "UnsupportedMediaType",
                    "JSON bodies must be sent without Content-Encoding.",
                    source: .downstream
                )
            )
        }
        return .success(.collect)
    }

    /// Only types that Azure cannot take for JSON are streamed unread: what it might read, the gateway reads first.
    private static func mayBeJSON(_ media: some StringProtocol) -> Bool {
        !(media.begins("audio/") || media.begins("image/") || media.begins("video/") || media.begins("multipart/")
            || media.isSame("application/octet-stream"))
    }

    // MARK: collecting

    func collect(_ bytes: ByteBuffer) {
        guard let body else { return }
        body.append(bytes)
        guard scanner != nil else { return }
        scan(bytes) { model, range in
            self.edits = BodyEdits(formModel: model, at: range)
            let payload = Payload.form(collected: body.count, length: self.fields.contentLength)
            self.admit(model: model, payload: payload, upload: .open)
        }
    }

    /// Shows the scanner more of the body; a second `model` ends the exchange, even late.
    private func scan(_ bytes: ByteBuffer, found: (String, Range<Int>) -> Void) {
        guard let finding = bytes.withUnsafeReadableBytes({ scanner?.feed($0) }) else { return }
        switch finding {
        case .none: break
        case .model(let model, let range): found(model, range)
        case .invalid(let reason):
            perform(machine.refused(.badRequest("InvalidRequest", "The multipart body is not valid: \(reason).")))
        }
    }

    /// The body is complete and shows what is asked for.
    func decide() {
        guard let body else { return }
        if let scanner {
            guard !scanner.isInModel else {
                return perform(machine.refused(.badRequest("InvalidRequest", "The multipart body ends early.")))
            }
            // A form without a model, such as a file upload.
            return admit(model: nil, payload: .memory, upload: .complete)
        }
        if case .deployment(let name, _) = target.kind {
            // The path names the deployment, and Azure ignores `model` beside it. Only whether it streams is of interest.
            switch worker.reader.read(body) {
            case .success(let request): note(request, renames: false)
            case .failure: facts = RequestFacts(unread: body.count)
            }
            return admit(model: name, payload: .memory, upload: .complete)
        }
        if body.count == 0 { return admit(model: nil, payload: .memory, upload: .complete) }
        switch worker.reader.read(body) {
        case .failure(let error):
            perform(machine.refused(error))
        case .success(let request):
            note(request, renames: true)
            admit(model: request.model, payload: .memory, upload: .complete)
        }
    }

    // MARK: streaming

    func passOn(_ bytes: ByteBuffer) {
        if scanner != nil { scan(bytes) { _, _ in } }
        guard machine.state != .ended else { return }
        upload.waiting.append(bytes)
        upload.bytes += bytes.readableBytes
        if upload.bytes >= Self.maxUploadBacklog { connection.holdReads() }
        attempt?.resumeSending()
    }

    func endUpload() {
        upload.isComplete = true
        attempt?.resumeSending()
    }

    /// libcurl has room for more of the body.
    func supply(_ room: UnsafeMutableRawBufferPointer) -> BodySupply {
        guard !upload.waiting.isEmpty else { return upload.isComplete ? .end : .pause }
        if !upload.wasRead {
            upload.wasRead = true
            body = nil
        }
        var written = 0
        while written < room.count, var buffer = upload.waiting.first {
            let count = min(buffer.readableBytes, room.count - written)
            buffer.readWithUnsafeReadableBytes { bytes in
                UnsafeMutableRawBufferPointer(rebasing: room[written...]).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: bytes[..<count])
                )
                return count
            }
            written += count
            if buffer.readableBytes == 0 { upload.waiting.removeFirst() } else { upload.waiting[0] = buffer }
        }
        upload.bytes -= written
        if upload.bytes < Self.maxUploadBacklog / 2 { connection.releaseReads() }
        return written > 0 ? .bytes(written) : (upload.isComplete ? .end : .pause)
    }
}
