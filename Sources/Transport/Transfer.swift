internal import CCurl
internal import NIOCore

/// One request and its response, on one libcurl easy handle. Pooled: an origin hands it out again and again.
///
/// Everything happens on the event loop of its `TransferLoop`. What ends a transfer is decided in
/// `TransferStateMachine`; this class moves bytes between libcurl and the observer.
package final class Transfer: DeadlineHandler {
    package let head: ResponseHead
    package private(set) unowned var origin: Origin

    /// Bytes that libcurl reads at a time; every running transfer has a buffer of that size.
    ///
    /// With HTTP/2 it is libcurl's own 16 KiB, the size of a frame: with less, 7.88 now and then forgets the last frame of
    /// a response that was paused.
    var receiveBuffer: Int { origin.configuration.http2 ? 16 * 1024 : 8 * 1024 }

    let easy: OpaquePointer
    let url: ParsedURL
    private var observer: (any TransferObserver)?
    private(set) var request: TransferRequest?
    /// libcurl knows this object by its address only: it holds itself while it is with libcurl or in line.
    private var selfInUse: Transfer?
    /// A new configuration may let go of the origin while this is still in use.
    private var originInUse: Origin?
    private var state: TransferStateMachine
    private let timer: DeadlineTimer
    private var receivingPaused = false
    private var sendingPaused = false
    /// The connection took the request and died, and libcurl would have sent it again.
    private var wouldSendAgain = false
    /// Counts the requests that this object has served, to tell a late callback of an earlier one.
    private(set) var uses = 0
    /// libcurl is done with it; `TransferObserver.transferEnded` follows behind `transferTurnEnded`.
    package internal(set) var isOver = false
    /// Set while this transfer stands on the loop's list of those whose observer awaits `transferTurnEnded`.
    var isTouched = false

    init(origin: Origin) {
        self.origin = origin
        url = origin.url
        guard let easy = curl_easy_init() else { fatalError("curl_easy_init found no memory") }
        self.easy = easy
        head = ResponseHead(allowsHTTP2: origin.configuration.http2)
        state = TransferStateMachine(timeouts: origin.configuration.timeouts, now: .now())
        timer = DeadlineTimer(eventLoop: origin.loop.eventLoop)
        timer.attach(self)
        setConstantOptions()
    }

    deinit {
        timer.stop()
        curl_easy_cleanup(easy)
    }

    // MARK: what the owner asks

    /// Gives up; the observer hears `transferEnded` with `.cancelled`, from inside this call unless libcurl is running.
    package func cancel() { end(state.cancelled(insideLibcurl: origin.loop.isInsideLibcurl, sent: wasSent)) }

    /// Lets a paused response go on. Bytes that were not taken come again, from inside this call or soon after.
    package func resumeReceiving() {
        guard receivingPaused, state.isRunning else { return }
        receivingPaused = false
        state.aliveAgain(now: .now())
        origin.loop.continuePaused(self)
    }

    /// Lets a paused request body go on.
    package func resumeSending() {
        guard sendingPaused, state.isRunning else { return }
        sendingPaused = false
        origin.loop.continuePaused(self)
    }

    /// Lets go of the request once its answer has begun and libcurl has sent all of it. Returns whether it did: then body
    /// and header fields are the caller's again.
    ///
    /// A prompt may be megabytes, and its answer a stream of minutes.
    package func releaseSentRequest() -> Bool {
        guard state.isRunning, head.isComplete, let request else { return false }
        switch request.body {
        case .none:
            break
        case .memory(let body):
            var sent = 0
            ccurl_get_offset(easy, CURLINFO_SIZE_UPLOAD_T, &sent)
            guard sent >= body.count else { return false }
        case .stream:
            return false
        }
        ccurl_set_post_bytes(easy, nil)
        ccurl_set_list(easy, CURLOPT_HTTPHEADER, nil)
        self.request = nil
        return true
    }

    // MARK: what the origin asks

    func prepare(_ request: TransferRequest, observer: any TransferObserver) {
        self.request = request
        self.observer = observer
        uses += 1
        selfInUse = self
        originInUse = origin
        state = TransferStateMachine(timeouts: origin.configuration.timeouts, now: .now())
        head.clear()
        receivingPaused = false
        sendingPaused = false
        wouldSendAgain = false
        isOver = false
    }

    func waitForConnection() {
        state.waitsForConnection(until: .now() + origin.configuration.maxWait)
        timer.set(state.deadline)
    }

    /// Tells the observer in the loop's next turn, so that nobody hears of an end before `Origin.start` has returned.
    func refuse(_ error: TransferError, ran: Bool) {
        state.isRefused(ran: ran)
        let use = uses
        origin.loop.eventLoop.assumeIsolated().execute {
            if self.uses == use { self.end(self.state.refusalDue(error)) }
        }
    }

    func run() {
        state.starts(now: .now())
        if let code = setRequestOptions() {
            return refuse(TransferError(curl: code, sent: false, connected: false), ran: true)
        }
        timer.set(state.deadline)
        origin.loop.start(self)
    }

    // MARK: what libcurl reports (from inside its callbacks)

    /// libcurl has a connection and is about to send. Where a kept connection died before a byte of the answer it comes here
    /// once more, up to five times. Only safe methods may be sent again (RFC 9110 section 9.2.2): the server may have served,
    /// and billed, what it was sent.
    func maySend() -> Bool {
        guard wasSent, request?.method != "GET", request?.method != "HEAD" else { return true }
        wouldSendAgain = true
        return false
    }

    /// Returns whether the line was accepted; libcurl ends the transfer otherwise.
    func receivedHeaderLine(_ line: UnsafeRawBufferPointer) -> Bool {
        guard state.isRunning else { return false }
        switch head.append(line: line) {
        case .more:
            return true
        case .complete:
            state.headReceived(now: .now())
            timer.set(state.deadline)  // the idle time may well be shorter than what is left of the first-byte time
            origin.loop.touch(self)
            observer?.transferReceivedHead(self)
            return state.isRunning
        case .invalid(let reason):
            end(state.breaks(.violation(reason)))
            return false
        case .tooLarge:
            end(state.breaks(.headTooLarge))
            return false
        }
    }

    enum OnBody {
        case taken
        case pause
        case abort
    }

    func receivedBody(_ bytes: UnsafeRawBufferPointer) -> OnBody {
        guard state.isRunning, let observer else { return .abort }
        guard !receivingPaused else { return .pause }
        // Once a turn is often enough: a turn is short beside any timeout, and the clock is not free.
        if !isTouched {
            state.aliveAgain(now: .now())
            origin.loop.touch(self)
        }
        switch observer.transferReceived(self, body: bytes) {
        case .taken:
            return state.isRunning ? .taken : .abort
        case .pause:
            receivingPaused = true
            return .pause
        }
    }

    func wantsBody(into room: UnsafeMutableRawBufferPointer) -> BodySupply? {
        guard state.isRunning, let observer else { return nil }
        let supply = observer.transferWantsBody(self, into: room)
        switch supply {
        case .pause: sendingPaused = true
        case .bytes, .end: state.bodySent(now: .now())
        }
        return state.isRunning ? supply : nil
    }

    // MARK: what the loop reports (outside libcurl)

    func turnEnded() { observer?.transferTurnEnded(self) }

    /// libcurl is done with the handle, which is out of the multi handle by now.
    func finished(_ code: CURLcode) {
        guard code != CURLE_OK else { return end(state.finished(nil)) }
        // What libcurl says of a header line above its own bound of 100 kB.
        if code == CURLE_OUT_OF_MEMORY, wasSent, !head.isComplete {
            return end(state.finished(.headTooLarge))
        }
        if wouldSendAgain { return end(state.finished(.connectionDied)) }
        if let refused = proxyRefusal { return end(state.finished(refused)) }
        var connected = 0
        ccurl_get_offset(easy, CURLINFO_PRETRANSFER_TIME_T, &connected)
        end(state.finished(TransferError(curl: code, sent: wasSent, connected: connected > 0)))
    }

    package func deadlineReached(_ timer: DeadlineTimer) {
        switch state.deadlineReached(now: .now(), readerHoldsUp: receivingPaused, sent: wasSent) {
        case .rearm(let deadline): timer.set(deadline)
        case .end(let end): self.end(end)
        }
    }

    var isWithLibcurl: Bool { state.isRunning }

    /// libcurl never forgets how often it would have sent a handle's requests again: after five times it reports send errors.
    var isReusable: Bool { !wouldSendAgain }

    /// The mask for `curl_easy_pause`.
    var pauseMask: Int32 {
        (receivingPaused ? CURLPAUSE_RECV : 0) | (sendingPaused ? CURLPAUSE_SEND : 0)
    }

    /// A proxy that answered CONNECT with anything but success; libcurl calls it a receive error.
    private var proxyRefusal: TransferError? {
        var status = 0
        ccurl_get_long(easy, CURLINFO_HTTP_CONNECTCODE, &status)
        guard !head.isComplete, status != 0, !(200...299).contains(status) else { return nil }
        return TransferError(
            .proxy,
            blame: .upstream,
            mayHaveReachedServer: false,
            cause: "the proxy answered CONNECT with \(status)"
        )
    }

    private var wasSent: Bool {
        var bytes = 0
        ccurl_get_long(easy, CURLINFO_REQUEST_SIZE, &bytes)
        return bytes > 0
    }

    private func end(_ end: TransferStateMachine.End) {
        switch end {
        case .notNow:
            return
        case .later:
            origin.loop.endLater(self)
        case .now(let ran, let removing, let error):
            if removing { origin.loop.remove(self) }
            if !ran { origin.forgetWaiting(self) }
            let observer = self.observer
            self.observer = nil
            request = nil
            timer.set(.distantFuture)
            isTouched = false
            let origin = self.origin
            if ran { origin.transferRan() }
            observer?.transferEnded(self, error: error)
            origin.recycle(self)
            originInUse = nil
            selfInUse = nil
        }
    }

    /// Performs an end that was put off until libcurl returned.
    func libcurlReturned() { end(state.libcurlReturned()) }
}
