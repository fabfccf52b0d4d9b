import NIOCore
import NIOHTTP1
import Synchronization

@testable import MockAzure

/// A mock without a socket: requests go in as values, answers come out as the bytes that would be sent.
final class Mock {
    private let time = Time()
    let resource: MockResource
    let loop: LoopState

    init(_ deployments: String...) throws {
        let time = self.time
        self.resource = MockResource(
            keys: ["key"],
            deployments: try DeploymentTable(deployments.map { text throws(BadRequest) in try .init(text) })
        )
        self.loop = LoopState(index: 0, clock: LimitClock { time.milliseconds.load(ordering: .relaxed) })
    }

    /// Milliseconds of the clock that the limits are kept by.
    var now: Int {
        get { self.time.milliseconds.load(ordering: .relaxed) }
        set { self.time.milliseconds.store(newValue, ordering: .relaxed) }
    }

    private final class Time: Sendable {
        let milliseconds = Atomic(0)
    }

    /// Sends a request and lets its answer be played to the end.
    func send(
        _ method: HTTPMethod = .POST,
        _ target: String,
        headers: HTTPHeaders = ["api-key": "key"],
        body: String = ""
    ) throws -> Reply {
        try self.begin(method, target, headers: headers, body: body).finish()
    }

    /// Sends a request, of whose answer nothing is played yet.
    func begin(
        _ method: HTTPMethod = .POST,
        _ target: String,
        headers: HTTPHeaders = ["api-key": "key"],
        body: String = ""
    ) throws -> Exchange {
        let head = HTTPRequestHead(version: .http1_1, method: method, uri: target, headers: headers)
        var request = IncomingRequest(head: head)
        if !body.isEmpty { _ = request.receive(ByteBuffer(string: body)) }
        var booking = Booking.opened(request.route.kind, self.loop)
        let answer = self.resource.answer(&request, loop: self.loop)
        booking.decided(answer, kind: request.route.kind.rawValue, self.loop)
        let playback = Playback(
            answer,
            faults: request.faults,
            keepAlive: true,
            isHead: request.isHead,
            isVersion10: false
        )
        return Exchange(loop: self.loop, booking: booking, playback: playback)
    }

    /// A chat completion on the dated surface.
    func chat(_ deployment: String, _ members: String = "", headers: HTTPHeaders = ["api-key": "key"]) throws -> Reply {
        try self.begin(chat: deployment, members, headers: headers).finish()
    }

    func begin(
        chat deployment: String,
        _ members: String = "",
        headers: HTTPHeaders = ["api-key": "key"]
    ) throws -> Exchange {
        try self.begin(.POST, Self.chatTarget(deployment), headers: headers, body: Self.chatBody(members))
    }

    static func chatTarget(_ deployment: String) -> String {
        "/openai/deployments/\(deployment)/chat/completions?api-version=2024-10-21"
    }

    /// A prompt of 5 tokens: 4 for the message and 1 for its text; `members` are added to the object.
    static func chatBody(_ members: String = "") -> String {
        #"{"messages":[{"role":"user","content":"abcd"}]\#(members.isEmpty ? "" : ",")\#(members)}"#
    }
}

/// A request whose answer is under way.
final class Exchange {
    private let loop: LoopState
    private var booking: Booking
    private var playback: Playback

    init(loop: LoopState, booking: Booking, playback: Playback) {
        self.loop = loop
        self.booking = booking
        self.playback = playback
    }

    /// Plays the answer to its end, without waiting where it would.
    func finish() throws -> Reply {
        var parts = AnswerParts(isBodiless: false)
        var reply = Reply()
        while true {
            var output = ByteBuffer()
            let step = self.playback.next(into: &output, loop: self.loop)
            self.booking.progressed(self.playback.takeProgress(), self.loop)
            switch step {
            case .write:
                self.booking.wrote(bytes: output.readableBytes, self.loop)
                for part in try parts.receive(output) { reply.receive(part) }
            case .wait:
                continue
            case .hold, .end, .cut, .reset:
                self.booking.closed(aborted: false, self.loop)
                return reply
            }
        }
    }

    /// The client leaves now.
    func abandon() {
        self.booking.closed(aborted: true, self.loop)
    }
}

/// An answer as a client reads it.
struct Reply {
    private(set) var status = 0
    private(set) var headers = HTTPHeaders()
    private(set) var body = ""

    fileprivate mutating func receive(_ part: HTTPServerResponsePart) {
        switch part {
        case .head(let head):
            self.status = Int(head.status.code)
            self.headers = head.headers
        case .body(.byteBuffer(let bytes)):
            self.body += String(buffer: bytes)
        case .body(.fileRegion), .end:
            break
        }
    }

    func header(_ name: String) -> String? { self.headers.first(name: name) }

    func number(_ name: String) -> Int? { self.header(name).flatMap { Int($0) } }
}
