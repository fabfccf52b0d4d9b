import NIOCore
import NIOHTTP1

/// The Azure resource that is played: its keys, its deployments, and what it answers. Shared by all loops; never changes.
struct MockResource: Sendable {
    /// Azure's names are at most this long; it also bounds the books where any name goes.
    private static let maximumNameBytes = 128

    let keys: Set<String>
    let deployments: [String]
    private let known: Set<String>
    private let acceptsAnyDeployment: Bool

    init(keys: [String], deployments: [String]) {
        self.keys = Set(keys)
        self.deployments = deployments.filter { $0 != "*" }
        self.known = Set(self.deployments)
        self.acceptsAnyDeployment = deployments.contains("*")
    }

    /// Decides the whole answer to a complete request. The faults that shape it are taken out of the body on the way.
    func answer(_ request: inout IncomingRequest, loop: LoopState) -> Answer {
        let now = loop.tick()
        if request.route.kind != .echo, let refusal = self.authenticate(request.credential) {
            return Answer(refusal)
        }
        if let refusal = Self.checkTarget(request) {
            var answer = Answer(refusal)
            if refusal.status == 405 { answer.allow = request.route.kind.methods ?? [] }
            return answer
        }
        do throws(BadRequest) {
            if let refusal = request.refusal { throw refusal }
            var answer = try self.serve(&request, loop: loop, now: now)
            if answer.status == 200, request.faults.any { answer = Self.overrule(answer, request) }
            return answer
        } catch {
            return Answer(.badRequest(error))
        }
    }

    // MARK: Checks

    private func authenticate(_ credential: IncomingRequest.Credential) -> AzureError? {
        switch credential {
        case .key(let key): self.keys.contains(key) ? nil : .wrongKey
        case .bearer(let token): self.keys.contains(token) ? nil : .wrongToken
        case .none: .wrongKey
        }
    }

    private static func checkTarget(_ request: IncomingRequest) -> AzureError? {
        let route = request.route
        if route.kind == .unknown { return .unknownResource }
        if case .dated = route.surface, !Self.isVersion(request.apiVersion ?? "") { return .unknownResource }
        if !route.allows(request.head.method) { return .wrongMethod }
        return nil
    }

    /// `2024-10-21` or `2025-04-01-preview`.
    private static func isVersion(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        let digits = parts.prefix(3).map { part in
            part.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? part.count : 0
        }
        return digits == [4, 2, 2] && (parts.count == 3 || text.hasSuffix("-preview"))
    }

    // MARK: Answers

    private func serve(
        _ request: inout IncomingRequest,
        loop: LoopState,
        now: Int
    ) throws(BadRequest) -> Answer {
        switch request.route.kind {
        case .chat: try self.serveChat(&request, loop: loop, now: now)
        case .embeddings: try self.serveEmbeddings(&request)
        case .transcription, .translation: try self.serveAudio(&request)
        case .models: self.serveModels(request)
        case .echo, .stats, .reset, .unknown: Self.echo(request)
        }
    }

    private func serveChat(
        _ request: inout IncomingRequest,
        loop: LoopState,
        now: Int
    ) throws(BadRequest) -> Answer {
        let chat = try ChatRequest(request.body, faults: &request.faults)
        guard let deployment = self.deployment(request.route, model: chat.model) else {
            return Answer(.unknownDeployment)
        }
        let content = ChatAnswer(
            chat,
            model: deployment,
            faults: request.faults,
            id: loop.nextID(),
            created: now
        )
        if chat.stream {
            var answer = Answer(.stream(ChatStream(content)), deployment: deployment)
            answer.contentType = "text/event-stream; charset=utf-8"
            answer.usage = Usage(promptTokens: content.promptTokens, completionTokens: 0)
            return answer
        }
        var body = ByteBufferAllocator().buffer(capacity: 2_048)
        content.writeBody(size: request.faults.bytes, into: &body)
        var answer = Answer(.whole(body), deployment: deployment)
        answer.usage = content.usage
        return answer
    }

    private func serveEmbeddings(_ request: inout IncomingRequest) throws(BadRequest) -> Answer {
        let embedding = try EmbeddingRequest(request.body, faults: &request.faults)
        guard let deployment = self.deployment(request.route, model: embedding.model) else {
            return Answer(.unknownDeployment)
        }
        var body = ByteBufferAllocator().buffer(capacity: 16_384)
        EmbeddingAnswer(request: embedding, model: deployment).writeBody(usage: request.faults.usage, into: &body)
        var answer = Answer(.whole(body), deployment: deployment)
        answer.usage = Usage(promptTokens: embedding.promptTokens, completionTokens: 0)
        return answer
    }

    private func serveAudio(_ request: inout IncomingRequest) throws(BadRequest) -> Answer {
        let form = try MultipartForm(request.body, contentType: request.contentType)
        try request.faults.readList(form.fields["mock"] ?? "")
        try request.faults.readUser(form.fields["user"] ?? "")
        guard let deployment = self.deployment(request.route, model: form.fields["model"]) else {
            return Answer(.unknownDeployment)
        }
        let content = try TranscriptionAnswer(form, translated: request.route.kind == .translation)
        var body = ByteBuffer()
        content.writeBody(into: &body)
        var answer = Answer(.whole(body), deployment: deployment)
        answer.contentType = content.contentType
        return answer
    }

    private func serveModels(_ request: IncomingRequest) -> Answer {
        let models = ModelsAnswer(deployments: self.deployments, surface: request.route.surface)
        var body = ByteBuffer()
        if let id = request.route.modelID {
            guard self.isKnown(id) else { return Answer(.unknownDeployment) }
            models.writeModel(id, into: &body)
        } else {
            models.writeList(into: &body)
        }
        return Answer(.whole(body))
    }

    private static func echo(_ request: IncomingRequest) -> Answer {
        var body = ByteBuffer()
        EchoAnswer(head: request.head, body: request.body).writeBody(into: &body)
        return Answer(.whole(body))
    }

    /// The refusal or the echo that a fault puts in the place of a good answer.
    private static func overrule(_ answer: Answer, _ request: IncomingRequest) -> Answer {
        let faults = request.faults
        if let status = faults.status, status != 200 {
            let milliseconds = faults.retryAfterMilliseconds.map { ($0 + 999) / 1_000 }
            let error = AzureError.injected(
                status,
                route: request.route,
                apiVersion: request.apiVersion,
                retryAfter: faults.retryAfter ?? milliseconds ?? 1
            )
            return Answer(error, deployment: answer.deployment)
        }
        guard faults.echo else { return answer }
        var echo = Self.echo(request)
        echo.deployment = answer.deployment
        return echo
    }

    // MARK: Deployments

    /// The deployment a request names, by its path or, on v1, by its model; `nil` where there is none of that name.
    private func deployment(_ route: Route, model: String?) -> String? {
        let name: String? =
            switch route.surface {
            case .dated(let deployment): deployment
            case .v1: model
            case .mock: nil
            }
        guard let name, self.isKnown(name) else { return nil }
        return name
    }

    private func isKnown(_ name: String) -> Bool {
        self.known.contains(name)
            || self.acceptsAnyDeployment && !name.isEmpty && name.utf8.count <= Self.maximumNameBytes
    }
}
