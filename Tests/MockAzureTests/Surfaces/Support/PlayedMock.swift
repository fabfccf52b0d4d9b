import Foundation
import NIOCore
import NIOHTTP1

@testable import MockAzure

/// The mock without its sockets: a request goes in, the bytes of its answer come out, and pauses take no time.
final class PlayedMock {
    private let resource: MockResource
    private let loop = LoopState(index: 0)

    init(_ deployments: String...) throws {
        let names = deployments.isEmpty ? ["*"] : deployments
        let table = try DeploymentTable(names.map { name throws(BadRequest) in try DeploymentSpecification(name) })
        self.resource = MockResource(keys: ["key"], deployments: table)
    }

    var books: Books { self.loop.books }

    /// The tokens of all deployments.
    var booked: Books.Tokens { self.books.tokens.values.reduce(into: .init()) { $0 += $1 } }

    /// - Parameter leaveAfter: the client hangs up after so many writes.
    func post(
        _ target: String,
        _ body: String,
        type: String = "application/json",
        leaveAfter: Int? = nil
    ) -> PlayedAnswer {
        self.play(.POST, target, ByteBuffer(string: body), type: type, leaveAfter: leaveAfter)
    }

    func get(_ target: String) -> PlayedAnswer { self.play(.GET, target, ByteBuffer(), type: "", leaveAfter: nil) }

    func delete(_ target: String) -> PlayedAnswer {
        self.play(.DELETE, target, ByteBuffer(), type: "", leaveAfter: nil)
    }

    func post(_ target: String, form: FormBody) -> PlayedAnswer {
        self.play(.POST, target, form.bytes, type: FormBody.contentType, leaveAfter: nil)
    }

    private func play(
        _ method: HTTPMethod,
        _ target: String,
        _ body: ByteBuffer,
        type: String,
        leaveAfter: Int?
    ) -> PlayedAnswer {
        let headers = HTTPHeaders([("api-key", "key"), ("content-type", type)])
        var request = IncomingRequest(head: .init(version: .http1_1, method: method, uri: target, headers: headers))
        _ = request.receive(body)
        var booking = Booking.opened(request.route.kind, self.loop)
        let answer = self.resource.answer(&request, loop: self.loop)
        booking.decided(answer, kind: request.route.kind.rawValue, self.loop)
        var playback = Playback(answer, faults: request.faults, keepAlive: true, isHead: false, isVersion10: false)
        var played = PlayedAnswer()
        var output = ByteBuffer()
        play: while played.waited < PlayedAnswer.patience && played.writes != leaveAfter {
            output.clear()
            let step = playback.next(into: &output, loop: self.loop)
            booking.progressed(playback.takeProgress(), self.loop)
            switch step {
            case .write:
                booking.wrote(bytes: output.readableBytes, self.loop)
                played.received(output)
            case .wait(let amount): played.waited = played.waited + amount
            case .end:
                played.isComplete = true
                break play
            case .hold, .cut, .reset: break play
            }
        }
        booking.closed(aborted: !played.isComplete, self.loop)
        return played
    }
}

/// What a client received.
struct PlayedAnswer {
    /// A stream that only says that it lives is left after so long.
    static let patience = TimeAmount.seconds(600)

    private var bytes = ByteBuffer()
    var waited = TimeAmount.zero
    var writes = 0
    var isComplete = false

    mutating func received(_ piece: ByteBuffer) {
        self.bytes.writeImmutableBuffer(piece)
        self.writes += 1
    }

    private var text: String { String(buffer: self.bytes) }

    private var lines: [Substring] {
        (self.text.range(of: "\r\n\r\n").map { self.text[..<$0.lowerBound] } ?? "").split(separator: "\r\n")
    }

    var status: Int { self.lines.first.flatMap { Int($0.split(separator: " ")[1]) } ?? 0 }

    func header(_ name: String) -> String? {
        self.lines.first { $0.hasPrefix("\(name): ") }.map { String($0.dropFirst(name.count + 2)) }
    }

    /// The body, chunks joined.
    var body: [UInt8] {
        let all = Array(self.bytes.readableBytesView)
        guard let end = all.firstRange(of: Array("\r\n\r\n".utf8)) else { return [] }
        var rest = all[end.upperBound...]
        guard self.header("transfer-encoding") == "chunked" else { return Array(rest) }
        var body: [UInt8] = []
        while let line = rest.firstRange(of: Array("\r\n".utf8)),
            let size = Int(String(decoding: rest[..<line.lowerBound], as: UTF8.self), radix: 16), size > 0
        {
            body += rest[line.upperBound...].prefix(size)
            rest = rest[line.upperBound...].dropFirst(size + 2)
        }
        return body
    }

    var bodyText: String { String(decoding: self.body, as: UTF8.self) }

    var json: JSONValue { JSONValue(self.bodyText) }

    /// The events of a stream, `[DONE]` among them.
    var events: [PlayedEvent] { self.bodyText.components(separatedBy: "\n\n").dropLast().map(PlayedEvent.init) }

    /// The data of the events that have JSON.
    var data: [JSONValue] { self.events.filter { $0.data != "[DONE]" }.map(\.json) }
}

/// One server-sent event.
struct PlayedEvent {
    let name: String?
    let data: String

    init(_ text: String) {
        let lines = text.split(separator: "\n")
        self.name = lines.first { $0.hasPrefix("event: ") }.map { String($0.dropFirst(7)) }
        self.data = lines.first { $0.hasPrefix("data: ") }.map { String($0.dropFirst(6)) } ?? ""
    }

    var json: JSONValue { JSONValue(self.data) }
}
