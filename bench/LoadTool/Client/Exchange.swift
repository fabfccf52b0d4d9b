/// One request on its way, over all its attempts. Times are nanoseconds from the start of the load.
struct Exchange {
    let draw: RequestDraw
    /// The worker of a closed loop that waits for it.
    let worker: Int?
    let intended: Int64
    /// When it began to wait for a connection.
    var queued: Int64
    var sent: Int64
    var head: Int64?
    var firstToken: Int64?
    var lastToken: Int64?
    var status = 0
    var retryAfterMilliseconds: Int?
    var retries = 0
    var bytesSent = 0
    var bytesReceived = 0
    var events = 0
    var isStream = false

    init(_ draw: RequestDraw, worker: Int?, intended: Int64, now: Int64) {
        self.draw = draw
        self.worker = worker
        self.intended = intended
        queued = now
        sent = now
    }

    /// What the last attempt saw is forgotten.
    mutating func beginAttempt(now: Int64) {
        sent = now
        head = nil
        firstToken = nil
        lastToken = nil
        status = 0
        retryAfterMilliseconds = nil
        events = 0
        isStream = false
    }

    func outcome(_ verdict: Outcome.Verdict, usage: TokenUsage?, fault: StreamCheck.Fault?, now: Int64) -> Outcome {
        Outcome(
            client: draw.client,
            kind: draw.kind,
            model: draw.model,
            target: draw.target,
            intended: intended,
            sent: sent,
            head: head,
            firstToken: firstToken,
            ended: now,
            status: status,
            verdict: verdict,
            fault: fault,
            retries: retries,
            bytesSent: bytesSent,
            bytesReceived: bytesReceived,
            events: events,
            isStream: isStream,
            usage: usage
        )
    }
}
