import Testing

@testable import MockAzure

@Suite("A deployment on the command line")
struct DeploymentTests {
    @Test("is a name and what it is limited by")
    func parses() throws {
        let standard = try DeploymentSpecification("gpt-4o,tpm=100000,rpm=600,rpm-window=10,effective-tpm=5")
        #expect(standard.name == "gpt-4o")
        #expect(standard.kind == .chat)
        #expect(standard.limits.tokensPerMinute == 100_000)
        #expect(standard.limits.effectiveTokensPerMinute == 5)
        #expect(standard.limits.requestsPerMinute == 600)
        #expect(standard.limits.requestWindow == 10_000)
        let provisioned = try DeploymentSpecification("ptu,provisioned=50000,spillover=gpt-4o,kind=chat")
        #expect(provisioned.kind == .chat)
        #expect(provisioned.limits.provisioned == 50_000)
        #expect(provisioned.limits.spillover == "gpt-4o")
        #expect(try DeploymentSpecification("plain").limits == LimitSettings())
    }

    @Test(
        "is refused with the reason",
        arguments: [
            ("", "needs a name"),
            ("a b", "is no name"),
            ("*,tpm=1", "'*' takes no properties"),
            ("a,tpm", "is not KEY=VALUE; there are kind, tpm, effective-tpm, rpm, rpm-window, provisioned, spillover"),
            ("a,tpn=1", "has no 'tpn'; there are kind, tpm"),
            ("a,tpm=x", "tpm is an integer from 0 to 1000000000, not 'x'"),
            ("a,tpm=-1", "tpm is an integer from 0"),
            ("a,rpm=1.5", "rpm is an integer"),
            ("a,rpm-window=1", "rpm-window needs rpm"),
            ("a,rpm=1,rpm-window=5", "rpm-window is 1 or 10 seconds, not '5'"),
            ("a,provisioned=0", "provisioned is an integer from 1"),
            ("a,provisioned=1,tpm=1", "a provisioned deployment has no tpm"),
            ("a,spillover=b", "only a provisioned deployment can have a spillover"),
            ("a,provisioned=1,spillover=", "spillover needs the name"),
            ("a,effective-tpm=1", "effective-tpm needs tpm"),
            ("a,tpm=1,effective-tpm=2", "effective-tpm cannot be more than tpm"),
            ("a,kind=chats", "'chats' is no kind of model; there are chat, completion, embedding"),
        ]
    )
    func refuses(text: String, reason: String) {
        #expect { try DeploymentSpecification(text) } throws: { error in
            (error as? BadRequest)?.message.contains(reason) == true
        }
    }

    @Test(
        "has the kind its name tells of",
        arguments: [
            ("gpt-4o", ModelKind.chat), ("o3-mini", .chat), ("text-embedding-3-small", .embedding),
            ("whisper", .transcription), ("gpt-4o-transcribe", .transcription), ("tts-1", .speech),
            ("gpt-4o-mini-tts", .speech), ("dall-e-3", .image), ("gpt-image-1", .image),
            ("gpt-35-turbo-instruct", .completion), ("gpt-4o-realtime", .realtime), ("west", nil), ("ptu", nil),
        ] as [(String, ModelKind?)]
    )
    func kinds(name: String, kind: ModelKind?) {
        #expect(ModelKind(guessedFrom: name) == kind)
    }

    @Test("is in the table once, and spills over to one that is there")
    func table() throws {
        let table = try DeploymentTable([.init("a"), .init("b,provisioned=1,spillover=a")])
        #expect(table["a"]?.name == "a")
        #expect(table.contains("b") && !table.contains("c") && !table.contains(""))
        let any = try DeploymentTable([.init("*"), .init("a")])
        #expect(any.contains("c") && any["c"] == nil && any.names == ["a"])
        #expect(!any.contains("") && !any.contains(String(repeating: "x", count: 129)))
        #expect(throws: BadRequest.self) { try DeploymentTable([.init("a"), .init("a")]) }
        #expect(throws: BadRequest.self) { try DeploymentTable([.init("a,provisioned=1,spillover=c")]) }
        #expect(throws: BadRequest.self) { try DeploymentTable([.init("a,provisioned=1,spillover=a")]) }
    }

    @Test("keeps its counts while its limits change, and takes an edit whole or not at all")
    func changes() throws {
        let limiter = Limiter(LimitSettings())
        #expect(!limiter.isActive)
        try limiter.change { settings throws(BadRequest) in try settings.set(.tpm, to: "100") }
        #expect(limiter.isActive)
        #expect(limiter.admit(TokenDemand(prompt: 80), now: 0).isAdmitted)
        try limiter.change { settings throws(BadRequest) in try settings.set(.effectiveTPM, to: "90") }
        #expect(limiter.report(now: 0)?.tokens?.remaining == 10)
        #expect(throws: BadRequest.self) {
            try limiter.change { settings throws(BadRequest) in try settings.set(.provisioned, to: "5") }
        }
        #expect(limiter.settings.provisioned == nil)
        limiter.restart()
        #expect(limiter.report(now: 0)?.tokens?.remaining == 90)
        try limiter.change { settings throws(BadRequest) in
            try settings.set(.tpm, to: nil)
            try settings.set(.effectiveTPM, to: nil)
        }
        #expect(!limiter.isActive)
    }

    @Test("counts exactly when all threads ask at once")
    func contention() async throws {
        var settings = LimitSettings()
        settings.tokensPerMinute = 10_000
        let limiter = Limiter(settings)
        let admitted = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    (0..<1_000).filter { _ in limiter.admit(TokenDemand(prompt: 7), now: 0).isAdmitted }.count
                }
            }
            return await group.reduce(0, +)
        }
        #expect(admitted == 10_000 / 7)
    }
}

extension Limiter.Admission {
    var isAdmitted: Bool {
        switch self {
        case .admitted: true
        case .refused: false
        }
    }
}
