import NIOCore
import TestSupport

@testable import Coordination

/// The scripts in a real Redis, with a clock that the test sets.
///
/// The scripts are those of the product but for the one function that asks for the time: here it reads a key.
final class ScriptServer {
    let server: RedisServer
    let encoder = ScriptEncoder(keys: KeySpace())
    private let socket: BlockingSocket
    private var digests: [String: String] = [:]
    private var pending = ByteBuffer()
    private var expected = 0

    private static let clock = """
        local function clock()
          local time = call('TIME')
          return time[1] * 1000 + floor(time[2] / 1000)
        end
        """
    private static let clockOfTest = "local function clock() return tonumber(call('GET', 'clock')) end"

    init(_ server: RedisServer) throws {
        guard let socket = BlockingSocket(port: server.port) else { throw Unexpected("no connection") }
        self.server = server
        self.socket = socket
        for script in Script.all + [InspectionScripts.look] {
            let text = script.text.replacing(Self.clock, with: Self.clockOfTest)
            guard text != script.text, case .string(let digest)? = socket.command(["SCRIPT", "LOAD", text]) else {
                throw Unexpected("script \(script.name) does not load")
            }
            digests[script.name] = String(decoding: digest, as: UTF8.self)
        }
    }

    /// Adds a call at a time to what is sent next.
    func add(_ call: RedisScriptCall, now: Int64) {
        add("SET", "clock", String(now))
        addWithoutClock(call)
    }

    /// At the time of the call before.
    func addWithoutClock(_ call: RedisScriptCall) {
        guard let digest = digests[call.script.name] else { preconditionFailure("every script was loaded") }
        call.encode(into: &pending, digest: digest)
        expected += 1
    }

    func add(_ arguments: String...) {
        pending.writeImmutableBuffer(RESPCommand(arguments).bytes)
        expected += 1
    }

    /// Sends what was added and returns all replies, in order.
    func send() throws -> [RESPReply] {
        defer {
            pending.clear()
            expected = 0
        }
        guard let replies = socket.replies(to: pending, count: expected) else {
            throw Unexpected("redis-server is silent")
        }
        return replies
    }

    /// One call, and its reply.
    func run(_ call: RedisScriptCall, now: Int64) throws -> RESPReply {
        add(call, now: now)
        return try send()[1]
    }

    func admit(_ admission: Admission, now: Int64) throws -> AdmissionDecision {
        try ScriptDecoder.decision(admission, run(encoder.call(admission), now: now))
    }

    func settle(_ settlement: Settlement, now: Int64) throws -> SettlementOutcome {
        try ScriptDecoder.outcome(run(encoder.call(settlement), now: now))
    }

    func cancel(_ cancellation: Cancellation, now: Int64) throws -> SettlementOutcome {
        try ScriptDecoder.outcome(run(encoder.call(cancellation), now: now))
    }

    func beat(_ beat: Beat, now: Int64) throws -> BeatOutcome {
        try ScriptDecoder.outcome(beat, run(encoder.call(beat), now: now))
    }

    func flush() throws {
        add("FLUSHALL")
        _ = try send()
    }
}

extension RedisScriptCall {
    /// The call under another digest than the script's own.
    fileprivate func encode(into buffer: inout ByteBuffer, digest: String) {
        var own = ByteBuffer()
        encode(into: &own, byText: false)
        let name = script.digest
        // `*n`, `EVALSHA` and the digest come first; all digests are equally long.
        let view = own.readableBytesView
        guard let range = view.firstRange(of: Array(name.utf8)) else { preconditionFailure("a call names its digest") }
        buffer.writeBytes(view[..<range.lowerBound])
        buffer.writeString(digest)
        buffer.writeBytes(view[range.upperBound...])
    }
}
