import Glibc
import NIOCore

/// What one event loop keeps for all its connections: books, ids, the date. Touched on that loop only, so without locks.
final class LoopState {
    var books = Books()
    private(set) var date = ByteBuffer()
    private(set) var requestsThisMinute = 0
    private(set) var tokensThisMinute = 0

    let clock: LimitClock
    private var random: SplitMix64
    private var second = 0

    init(index: Int, clock: LimitClock = .monotonic) {
        self.clock = clock
        self.random = SplitMix64(seed: UInt64(index) &+ 0x5EED)
    }

    /// Seconds since 1970. Also what brings `date` and the minute's counts up to date, so it comes first in an answer.
    func tick() -> Int {
        let now = time(nil)
        if now != self.second {
            if now / 60 != self.second / 60 {
                self.requestsThisMinute = 0
                self.tokensThisMinute = 0
            }
            self.second = now
            self.date = Self.httpDate(now)
        }
        return now
    }

    /// Books a connection, from now to its end.
    func count(_ channel: any Channel) {
        self.books.connectionsAccepted += 1
        self.books.connectionsOpen += 1
        channel.closeFuture.assumeIsolated().whenComplete { _ in self.books.connectionsOpen -= 1 }
    }

    /// Books what is about to be sent: a unary answer at once, a stream word by word.
    func book(_ usage: Usage, deployment: String) {
        // The prompt comes with the head, once for each request.
        if usage.promptTokens > 0 { self.requestsThisMinute += 1 }
        self.tokensThisMinute += usage.promptTokens + usage.completionTokens
        self.books.tokens[deployment, default: .init()] += Books.Tokens(
            prompt: usage.promptTokens,
            completion: usage.completionTokens,
            cached: usage.details.cached,
            reasoning: usage.details.reasoning
        )
    }

    /// Books what an event of a stream brings.
    func book(_ tokens: StreamTokens, deployment: String) {
        self.tokensThisMinute += tokens.completion
        self.books.tokens[deployment, default: .init()] += Books.Tokens(
            completion: tokens.completion,
            reasoning: tokens.reasoning
        )
    }

    func nextID() -> UInt64 { self.random.next() }

    /// Writes a random GUID: 8-4-4-4-12 hexadecimal digits.
    func writeGUID(into buffer: inout ByteBuffer) {
        let high = self.random.next()
        let low = self.random.next()
        buffer.writeHex(high >> 32, digits: 8)
        buffer.writeStaticString("-")
        buffer.writeHex(high >> 16, digits: 4)
        buffer.writeStaticString("-4")
        buffer.writeHex(high, digits: 3)
        buffer.writeStaticString("-a")
        buffer.writeHex(low >> 48, digits: 3)
        buffer.writeStaticString("-")
        buffer.writeHex(low, digits: 12)
    }

    /// `Mon, 02 Jan 2006 15:04:05 GMT` (RFC 9110 section 5.6.7).
    private static func httpDate(_ now: Int) -> ByteBuffer {
        var seconds = time_t(now)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { target -> ByteBuffer in
            let count = strftime(target.baseAddress, target.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
            return ByteBuffer(bytes: UnsafeRawBufferPointer(target).prefix(count))
        }
        return text
    }
}

/// A small fast generator of well-spread numbers (Steele, Lea and Flood, 2014); not secret.
struct SplitMix64 {
    private var state: UInt64

    init(seed: UInt64) {
        self.state = seed
    }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
