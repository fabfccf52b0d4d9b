internal import NIOCore

/// A command on its way, and who waits for the answer. Confined to the event loop.
final class RedisCall {
    enum Command {
        case script(RedisScriptCall)
        case plain(RESPCommand)
    }

    /// For whom it is sent.
    enum Purpose: Equatable {
        /// A request; the breaker counts its outcome.
        case request
        /// Ours: a PING, a probe, a script that is loaded again.
        case upkeep
    }

    let command: Command
    let purpose: Purpose
    let sentAt: NIODeadline
    let deadline: NIODeadline
    /// Sent with the script's text, as the server did not know the digest.
    var isByText = false
    /// Times it was sent again because the server asked for it.
    var retries = 0
    /// It has been sent on another connection than the first.
    var hasChangedConnection = false
    private var completion: ((Result<RESPReply, RedisError>) -> Void)?
    private var late: ((Result<RESPReply, RedisError>) -> Void)?

    init(
        _ command: Command,
        purpose: Purpose,
        now: NIODeadline,
        deadline: NIODeadline,
        completion: @escaping (Result<RESPReply, RedisError>) -> Void,
        late: ((Result<RESPReply, RedisError>) -> Void)? = nil
    ) {
        self.command = command
        self.purpose = purpose
        self.deadline = deadline
        self.completion = completion
        self.late = late
        sentAt = now
    }

    /// The first outcome goes to `completion`; one more, after a missed deadline, to `late`.
    func finish(_ outcome: Result<RESPReply, RedisError>) {
        if let completion {
            self.completion = nil
            return completion(outcome)
        }
        let late = late
        self.late = nil
        late?(outcome)
    }

    /// What it takes of the connection's allowance of bytes.
    var byteCount: Int {
        switch command {
        case .script(let call): isByText ? call.byteCount + call.script.text.utf8.count : call.byteCount
        case .plain(let command): command.bytes.readableBytes
        }
    }

    func encode(into buffer: inout ByteBuffer) {
        switch command {
        case .script(let call): call.encode(into: &buffer, byText: isByText)
        case .plain(let command): buffer.writeImmutableBuffer(command.bytes)
        }
    }
}
