internal import CCurl
internal import CEpoll
internal import Glibc
package import NIOCore

/// libcurl on one event loop: one multi handle, its sockets in an inner epoll, its one timer.
///
/// Everything runs on `eventLoop` except `socketsAreReady`'s request, which the readiness watcher makes. libcurl is never
/// re-entered from its own callbacks: what they cause is noted and done when it has returned.
package final class TransferLoop: @unchecked Sendable {  // confined to `eventLoop`; the watcher only calls `execute`
    package let eventLoop: any EventLoop
    private let multi: OpaquePointer
    private let inner: Int32
    private let watcher: ReadinessWatcher
    private var watcherIndex = 0
    private let timer: DeadlineTimer
    private var ready = [epoll_event](repeating: epoll_event(), count: 256)
    private var isShutDown = false

    /// libcurl is on the stack: no handle may be added, removed or unpaused.
    private(set) var isInsideLibcurl = false
    private var isSettling = false
    /// libcurl asked to be called at once.
    private var timeoutIsDue = false
    private var touched: [Transfer] = []
    private var ending: [Transfer] = []
    private var unpausing: [Transfer] = []

    /// Turns that libcurl may ask for at once in a row before other work of the loop gets a chance.
    private static let maxTurnsInARow = 16

    /// To be called on the event loop. `maxConnections`: idle ones that libcurl may keep, over all origins.
    package init(eventLoop: any EventLoop, watcher: ReadinessWatcher, maxConnections: Int) throws {
        eventLoop.preconditionInEventLoop()
        _ = LibcurlGlobal.initialised
        self.eventLoop = eventLoop
        self.watcher = watcher
        guard let multi = curl_multi_init() else { throw TransferError.resources("curl_multi_init", ENOMEM) }
        self.multi = multi
        inner = epoll_create1(CEPOLL_CLOEXEC)
        guard inner >= 0 else { throw TransferError.resources("epoll_create1", errno) }
        timer = DeadlineTimer(eventLoop: eventLoop)
        let me = Unmanaged.passUnretained(self).toOpaque()
        ccurl_multi_set_socket_callback(multi, socketCallback, me)
        ccurl_multi_set_timer_callback(multi, timerCallback, me)
        ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, maxConnections)
        // One stream per HTTP/2 connection: docs/decisions/0002-http2-upstream.md.
        ccurl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
        timer.attach(self)
        watcherIndex = watcher.add(self, inner: inner)
    }

    /// Lets go of libcurl. To be called on the event loop, when no transfer runs any more.
    package func shutdown() {
        guard !isShutDown else { return }
        isShutDown = true
        watcher.remove(inner: inner, index: watcherIndex)
        timer.stop()
        curl_multi_cleanup(multi)
        close(inner)
    }

    // MARK: turns

    /// Called by the watcher's order: some sockets are ready.
    func socketsAreReady() {
        guard !isShutDown else { return }
        let count = Int(max(0, epoll_wait(inner, &ready, Int32(ready.count), 0)))
        for index in 0..<count {
            let event = ready[index]
            var what: Int32 = 0
            if event.events & (CEPOLL_IN | CEPOLL_HUP) != 0 { what |= CURL_CSELECT_IN }
            if event.events & CEPOLL_OUT != 0 { what |= CURL_CSELECT_OUT }
            if event.events & CEPOLL_ERR != 0 { what |= CURL_CSELECT_ERR }
            turn(event.data.fd, what)
        }
        watcher.arm(inner: inner, index: watcherIndex)
    }

    private func turn(_ socket: curl_socket_t, _ what: Int32) {
        enter { curl_multi_socket_action(multi, socket, what, $0) }
        settleTurn()
    }

    private func enter(_ call: (UnsafeMutablePointer<Int32>) -> Void) {
        precondition(!isInsideLibcurl, "libcurl must not be re-entered")
        var running: Int32 = 0
        isInsideLibcurl = true
        call(&running)
        isInsideLibcurl = false
    }

    /// Does what libcurl's callbacks noted, until nothing is left: ends, completions, flushes, calls that it asked for.
    ///
    /// What these cause in turn (a transfer started or resumed) is left to the same loop, so the stack does not grow.
    private func settleTurn() {
        guard !isSettling else { return }
        isSettling = true
        defer { isSettling = false }
        for _ in 0..<Self.maxTurnsInARow {
            while let transfer = ending.popLast() { transfer.libcurlReturned() }
            reportFinished()
            flushTouched()
            if unpausing.isEmpty, ending.isEmpty, !timeoutIsDue { return }
            let resumed = unpausing
            unpausing.removeAll()
            for transfer in resumed { unpause(transfer) }
            if timeoutIsDue {
                timeoutIsDue = false
                enter { curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, $0) }
            }
        }
        timer.set(.now())
        timeoutIsDue = false
    }

    private func reportFinished() {
        var queued: Int32 = 0
        while let message = curl_multi_info_read(multi, &queued) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            let code = ccurl_message_result(message)
            let transfer = Unmanaged<Transfer>.fromOpaque(ccurl_get_private(easy)!).takeUnretainedValue()
            enter { _ in curl_multi_remove_handle(multi, easy) }
            transfer.finished(code)
        }
    }

    private func flushTouched() {
        while let transfer = touched.popLast() {
            guard transfer.isTouched else { continue }  // it ended meanwhile
            transfer.isTouched = false
            transfer.turnEnded()
        }
    }

    // MARK: what transfers ask

    func start(_ transfer: Transfer) {
        guard !isInsideLibcurl else { preconditionFailure("a transfer is started outside libcurl's callbacks") }
        enter { _ in
            let code = curl_multi_add_handle(multi, transfer.easy)
            precondition(code == CURLM_OK, "libcurl refused a handle")
        }
        timeoutIsDue = true
        settleTurn()
    }

    func remove(_ transfer: Transfer) {
        enter { _ in curl_multi_remove_handle(multi, transfer.easy) }
        if timeoutIsDue { timer.set(.now()) }  // it may have woken another handle, and no turn need follow
    }

    func touch(_ transfer: Transfer) {
        guard !transfer.isTouched else { return }
        transfer.isTouched = true
        touched.append(transfer)
    }

    func endLater(_ transfer: Transfer) { ending.append(transfer) }

    func continuePaused(_ transfer: Transfer) {
        unpausing.append(transfer)
        if !isInsideLibcurl { settleTurn() }
    }

    private func unpause(_ transfer: Transfer) {
        guard transfer.isWithLibcurl else { return }
        // An error here is also the transfer's own end, which libcurl or our callback has noted.
        enter { _ in curl_easy_pause(transfer.easy, transfer.pauseMask) }
    }

    // MARK: what libcurl asks

    fileprivate func watch(_ socket: curl_socket_t, _ what: Int32, isKnown: Bool) {
        guard what != CURL_POLL_REMOVE else {
            epoll_ctl(inner, CEPOLL_CTL_DEL, socket, nil)
            return
        }
        var event = epoll_event()
        event.data.fd = socket
        if what & CURL_POLL_IN != 0 { event.events |= CEPOLL_IN }
        if what & CURL_POLL_OUT != 0 { event.events |= CEPOLL_OUT }
        epoll_ctl(inner, isKnown ? CEPOLL_CTL_MOD : CEPOLL_CTL_ADD, socket, &event)
        if !isKnown { curl_multi_assign(multi, socket, UnsafeMutableRawPointer(bitPattern: 1)) }
    }

    fileprivate func setTimeout(milliseconds: Int) {
        switch milliseconds {
        case ..<0:
            timeoutIsDue = false
            timer.set(.distantFuture)
        case 0:
            timeoutIsDue = true
            // Called outside a turn, nobody would look at the flag.
            if !isInsideLibcurl { timer.set(.now()) }
        default:
            timer.set(.now() + .milliseconds(Int64(milliseconds)))
        }
    }
}

extension TransferLoop: DeadlineHandler {
    package func deadlineReached(_ timer: DeadlineTimer) {
        guard !isShutDown else { return }
        turn(CURL_SOCKET_TIMEOUT, 0)
    }
}

private let socketCallback: curl_socket_callback = { _, socket, what, me, known in
    Unmanaged<TransferLoop>.fromOpaque(me!).takeUnretainedValue().watch(socket, what, isKnown: known != nil)
    return 0
}

private let timerCallback: curl_multi_timer_callback = { _, milliseconds, me in
    Unmanaged<TransferLoop>.fromOpaque(me!).takeUnretainedValue().setTimeout(milliseconds: milliseconds)
    return 0
}

/// `curl_global_init`, once for the process.
private enum LibcurlGlobal {
    static let initialised: Void = {
        let code = curl_global_init(Int(CURL_GLOBAL_DEFAULT))
        precondition(code == CURLE_OK, "curl_global_init failed")
    }()
}
