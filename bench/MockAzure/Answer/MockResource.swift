import NIOCore
import NIOHTTP1

/// The Azure resource that is played: its keys, its deployments, and what it answers. Shared by all loops; nothing
/// in it changes but the two stores and the limiters.
struct MockResource: Sendable {
    let keys: Set<String>
    let deployments: DeploymentTable
    let responses = ResponseStore()
    let files = FileStore()

    init(keys: [String], deployments: DeploymentTable) {
        self.keys = Set(keys)
        self.deployments = deployments
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
        let first = self.attempt(&request, loop: loop, now: now)
        let answer = self.admit(first, to: request, loop: loop, now: now)
        if let kept = answer.kept { self.keep(kept) }
        return answer
    }

    private func keep(_ kept: Answer.Kept) {
        switch kept {
        case .response(let content, let polls): self.responses.insert(content, polls: polls)
        case .file(let file): self.files.insert(file)
        }
    }

    /// What a deployment without limits answers.
    private func attempt(_ request: inout IncomingRequest, loop: LoopState, now: Int) -> Answer {
        do throws(BadRequest) {
            if let refusal = request.refusal { throw refusal }
            var answer = try self.serve(&request, loop: loop, now: now)
            if answer.status < 300, request.faults.any { answer = Self.overrule(answer, request) }
            return answer
        } catch {
            return Answer(.badRequest(error), deployment: self.deployment(request.route, model: nil))
        }
    }

    // MARK: Checks

    private func authenticate(_ credential: IncomingRequest.Credential) -> AzureError? {
        switch credential {
        case .key(let key): self.keys.contains(key) ? nil : .wrongKey
        case .bearer(let token): self.keys.contains(token) ? nil : .wrongToken
        case .none: .wrongToken
        }
    }

    private static func checkTarget(_ request: IncomingRequest) -> AzureError? {
        let route = request.route
        if route.kind == .unknown { return .unknownResource }
        if case .dated = route.surface, !Self.isVersion(request.apiVersion ?? "") { return .unknownResource }
        if !route.allows(request.head.method) { return .wrongMethod }
        if route.kind != .echo, CustomHeaders.areTooMany(request.head.headers) { return .tooManyHeaders }
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

    func serve(
        _ request: inout IncomingRequest,
        loop: LoopState,
        now: Int
    ) throws(BadRequest) -> Answer {
        switch request.route.kind {
        case .chat: try self.serveChat(&request, loop: loop, now: now)
        case .embeddings: try self.serveEmbeddings(&request)
        case .completions: try self.serveCompletions(&request, loop: loop, now: now)
        case .responses: try self.serveResponses(&request, loop: loop, now: now)
        case .response, .responseCancel: self.serveStoredResponse(request)
        case .imageGeneration, .imageEdit: try self.serveImages(&request, loop: loop, now: now)
        case .speech: try self.serveSpeech(&request)
        case .transcription, .translation: try self.serveTranscription(&request)
        case .files: try self.serveFiles(&request, loop: loop, now: now)
        case .file, .fileContent: self.serveFile(request)
        case .models: self.serveModels(request)
        case .echo, .stats, .reset, .limits, .unknown: Self.echo(request)
        }
    }

    private static func echo(_ request: IncomingRequest) -> Answer {
        var body = ByteBuffer()
        EchoAnswer(head: request.head, body: request.body).writeBody(into: &body)
        return Answer(.whole(body))
    }

    /// The refusal or the echo that a fault puts in the place of a good answer.
    private static func overrule(_ answer: Answer, _ request: IncomingRequest) -> Answer {
        if let error = AzureError.injected(request) {
            return Answer(error, deployment: answer.deployment)
        }
        guard request.faults.echo else { return answer }
        var echo = Self.echo(request)
        echo.deployment = answer.deployment
        return echo
    }

    // MARK: Deployments

    /// The deployment a request names, by its path or, where that has none, by its model; `nil` where there is none of
    /// that name.
    func deployment(_ route: Route, model: String?) -> String? {
        let name: String? =
            switch route.surface {
            case .dated(let deployment): deployment ?? model
            case .v1: model
            case .mock: nil
            }
        guard let name, self.deployments.contains(name) else { return nil }
        return name
    }
}
