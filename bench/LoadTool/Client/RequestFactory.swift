internal import NIOCore

/// Draws requests and writes their bytes.
struct RequestFactory: Sendable {
    /// What prompts are made of: about four bytes a token.
    private static let filler: [UInt8] = Array(
        String(repeating: "The water of the canal rises and falls with every gate that opens. ", count: 64).utf8
    )
    static let bytesPerToken = 4

    let scenario: Scenario
    /// Every model that a request can name, each once.
    let models: [String]
    private let clientShares: Shares
    private let kindShares: Shares
    private let modelOfKind: [[Int]]

    init(_ scenario: Scenario) {
        self.scenario = scenario
        clientShares = Shares(scenario.clients.map(\.share))
        kindShares = Shares(scenario.requests.map(\.share))
        var models: [String] = []
        func number(_ name: String) -> Int {
            if let index = models.firstIndex(of: name) { return index }
            models.append(name)
            return models.count - 1
        }
        modelOfKind = scenario.requests.map { kind in
            guard case .recorded(let recorded) = kind.content else { return [number(kind.model)] }
            return recorded.map { number($0.model.isEmpty ? kind.model : $0.model) }
        }
        self.models = models
    }

    func draw(_ index: Int) -> RequestDraw {
        var random = SplitMix(seed: scenario.seed, index: index)
        let client = clientShares.pick(&random)
        let kindIndex = kindShares.pick(&random)
        let kind = scenario.requests[kindIndex]
        let credential = Int(random.unit() * Double(scenario.clients[client].credentials.count))
        let isAborted = kind.abortFraction > 0 && random.unit() < kind.abortFraction
        let abortAfter = isAborted ? max(1, kind.abortAfter.drawInteger(&random)) : nil
        var recorded = 0
        var promptTokens = 0
        var outputTokens: Int?
        var isStreamed = false
        switch kind.content {
        case .chat(let chat):
            promptTokens = chat.promptTokens.drawInteger(&random)
            outputTokens = chat.outputTokens?.drawInteger(&random)
            isStreamed = chat.isStreamed
        case .fixed: break
        case .recorded(let requests):
            recorded = index % requests.count
            isStreamed = requests[recorded].isStreamed
        }
        return RequestDraw(
            index: index,
            client: client,
            credential: credential,
            kind: kindIndex,
            model: modelOfKind[kindIndex][recorded],
            target: index % scenario.targets.count,
            recorded: recorded,
            promptTokens: promptTokens,
            outputTokens: outputTokens,
            abortAfter: abortAfter,
            isStreamed: isStreamed
        )
    }

    /// Whether every request of the kind, client, credential and target has the same bytes.
    func isConstant(_ draw: RequestDraw) -> Bool {
        switch scenario.requests[draw.kind].content {
        case .chat(let chat):
            chat.promptTokens.constant != nil && (chat.outputTokens == nil || chat.outputTokens?.constant != nil)
        case .fixed: true
        case .recorded(let requests): requests.count == 1
        }
    }

    func write(_ draw: RequestDraw, into buffer: inout ByteBuffer) {
        let kind = scenario.requests[draw.kind]
        switch kind.content {
        case .chat(let chat):
            let start = chatStart
            let end = chatEnd(chat, draw)
            let promptBytes = draw.promptTokens * Self.bytesPerToken
            let length = start.utf8.count + promptBytes + end.utf8.count
            writeHead(kind.path, draw, bodyBytes: length, into: &buffer)
            buffer.writeString(start)
            Self.writeFiller(promptBytes, into: &buffer)
            buffer.writeString(end)
        case .fixed(let path, let body):
            writeHead(path, draw, bodyBytes: body?.utf8.count, into: &buffer)
            if let body { buffer.writeString(body) }
        case .recorded(let requests):
            let request = requests[draw.recorded]
            writeHead(request.path ?? kind.path, draw, bodyBytes: request.body.utf8.count, into: &buffer)
            buffer.writeString(request.body)
        }
    }

    private func writeHead(_ path: String, _ draw: RequestDraw, bodyBytes: Int?, into buffer: inout ByteBuffer) {
        buffer.writeString(bodyBytes == nil ? "GET " : "POST ")
        buffer.writeString(RequestKind.path(path, model: models[draw.model]))
        buffer.writeString(" HTTP/1.1\r\nhost: \(scenario.targets[draw.target].name)\r\nuser-agent: sluice-load\r\n")
        buffer.writeString(scenario.clients[draw.client].credentials[draw.credential])
        if let bodyBytes {
            buffer.writeString("content-type: application/json\r\ncontent-length: \(bodyBytes)\r\n")
        }
        buffer.writeString("\r\n")
    }

    private var chatStart: String { "{\"messages\":[{\"role\":\"user\",\"content\":\"" }

    private func chatEnd(_ chat: RequestKind.Chat, _ draw: RequestDraw) -> String {
        var text = "\"}],\"model\":\(JSONText.quoted(models[draw.model]))"
        if let tokens = draw.outputTokens { text += ",\"max_tokens\":\(max(1, tokens))" }
        if chat.isStreamed { text += ",\"stream\":true,\"stream_options\":{\"include_usage\":true}" }
        if let user = chat.user { text += ",\"user\":\(JSONText.quoted(user))" }
        return text + "}"
    }

    private static func writeFiller(_ bytes: Int, into buffer: inout ByteBuffer) {
        var left = bytes
        while left > 0 {
            let piece = min(left, filler.count)
            buffer.writeBytes(filler[..<piece])
            left -= piece
        }
    }
}
