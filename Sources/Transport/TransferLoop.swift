internal import CCurl
internal import CEpoll
internal import CGuests
internal import Glibc
package import NIOCore

/// libcurl on one event loop: one multi handle, its sockets beside NIO's own, its one timer.
///
/// Everything runs on `eventLoop`. libcurl is never re-entered from its own callbacks: what they cause is noted and done
/// when it has returned.
package final class TransferLoop: @unchecked Sendable {  // confined to `eventLoop`
    package let eventLoop: any EventLoop
    private let multi: OpaquePointer
    private var sockets: SocketWatch
    private let timer: DeadlineTimer
    private var isShutDown = false

    /// libcurl is on the stack: no handle may be added, removed or unpaused.
    private(set) var isInsideLibcurl = false
    private var isSettling = false
    /// libcurl asked to be called at once.
    private var timeoutIsDue = false
    private var touched: [Transfer] = []
    private var finished: [Finished] = []
    private var ending: [Transfer] = []
    private var unpausing: [Transfer] = []

    private struct Finished {
        let transfer: Transfer
        let use: Int
        let code: CURLcode
    }

    /// Turns that libcurl may ask for at once in a row before other work of the loop gets a chance.
    private static let maxTurnsInARow = 16
    /// Sockets that are read before what they brought is passed on: the first waits for the last, some 10 us for each.
    private static let mostServed = 16
    /// Sockets read of those.
    private var served = 0

    /// To be called on the event loop, once for each. `maxConnections`: idle ones that libcurl may keep, over all origins.
    package init(eventLoop: any EventLoop, maxConnections: Int) throws {
        eventLoop.preconditionInEventLoop()
        _ = LibcurlGlobal.initialised
        self.eventLoop = eventLoop
        cguests_pool_join()
        guard let multi = curl_multi_init() else {
            cguests_pool_leave()
            throw TransferError.resources("curl_multi_init", ENOMEM)
        }
        self.multi = multi
        timer = DeadlineTimer(eventLoop: eventLoop)
        sockets = SocketWatch(epoll: -1)
        let me = Unmanaged.passUnretained(self).toOpaque()
        let epoll = cepoll_join(socketIsReady, socketsAreServed, me)
        precondition(epoll >= 0, "this NIO's event loops do not wait in epoll_wait")
        sockets = SocketWatch(epoll: epoll)
        ccurl_multi_set_socket_callback(multi, socketCallback, me)
        ccurl_multi_set_timer_callback(multi, timerCallback, me)
        setMaxConnections(maxConnections)
        // One stream per HTTP/2 connection: docs/decisions/0002-http2-upstream.md.
        ccurl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
        timer.attach(self)
    }

    deinit { timer.stop() }

    /// Idle connections that libcurl may keep, over all origins. Those above it are closed as others are given back.
    package func setMaxConnections(_ count: Int) { ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, count) }

    /// Lets go of libcurl. To be called on the event loop, when no transfer runs any more.
    package func shutdown() {
        guard !isShutDown else { return }
        isShutDown = true
        timer.stop()
        curl_multi_cleanup(multi)
        cepoll_leave()
        cguests_pool_leave()
    }

    // MARK: turns

    /// Called where the event loop waits, before NIO hears of its own sockets.
    fileprivate func guestIsReady(_ socket: Int32, _ events: UInt32) {
        guard sockets.isReady(socket) == .act else { return }
        var what: Int32 = 0
        if events & (CEPOLL_IN | CEPOLL_HUP) != 0 { what |= CURL_CSELECT_IN }
        if events & CEPOLL_OUT != 0 { what |= CURL_CSELECT_OUT }
        if events & CEPOLL_ERR != 0 { what |= CURL_CSELECT_ERR }
        enter { curl_multi_socket_action(multi, socket, what, $0) }
        served += 1
        if served == Self.mostServed { guestsAreServed() }
    }

    /// All sockets of one wait have been read: what came of them is passed on together.
    ///
    /// Written one by one, each answer would wake its reader, who would be asleep again by the next; and the code that reads
    /// and the code that writes would push one another out of the processor's caches.
    fileprivate func guestsAreServed() {
        served = 0
        settleTurn()
    }

    /// Whether other sockets are read before what this one brings is passed on.
    package var servesSeveral: Bool { cepoll_guests_of_wait() > 1 }

    private func enter(_ call: (UnsafeMutablePointer<Int32>) -> Void) {
        precondition(!isInsideLibcurl, "libcurl must not be re-entered")
        var running: Int32 = 0
        isInsideLibcurl = true
        // libcurl asks for the time at every step: some forty times a request.
        cepoll_hold_clock()
        call(&running)
        cepoll_let_clock_go()
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
            collectFinished()
            flushTouched()
            reportFinished()
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

    /// Takes from libcurl what has ended. It is reported when the bytes that came before are with their clients.
    private func collectFinished() {
        var queued: Int32 = 0
        while let message = curl_multi_info_read(multi, &queued) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            let code = ccurl_message_result(message)
            let transfer = Unmanaged<Transfer>.fromOpaque(ccurl_get_private(easy)!).takeUnretainedValue()
            enter { _ in curl_multi_remove_handle(multi, easy) }
            transfer.isOver = true
            finished.append(Finished(transfer: transfer, use: transfer.uses, code: code))
        }
    }

    private func reportFinished() {
        // One that was cancelled meanwhile may serve the next request by now.
        while let over = finished.popLast() {
            if over.transfer.uses == over.use { over.transfer.finished(over.code) }
        }
    }

    private func flushTouched() {
        guard !touched.isEmpty else { return }
        cepoll_hold_clock()  // each asks for the time to move its deadlines
        defer { cepoll_let_clock_go() }
        var index = 0
        while index < touched.count {
            let transfer = touched[index]
            index += 1
            guard transfer.isTouched else { continue }  // it ended meanwhile
            transfer.isTouched = false
            transfer.turnEnded()
        }
        touched.removeAll(keepingCapacity: true)
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

    fileprivate func watch(_ socket: curl_socket_t, _ what: Int32) {
        var events: UInt32 = 0
        if what != CURL_POLL_REMOVE {
            if what & CURL_POLL_IN != 0 { events |= CEPOLL_IN }
            if what & CURL_POLL_OUT != 0 { events |= CEPOLL_OUT }
        }
        sockets.want(events, of: socket)
    }

    fileprivate func close(_ socket: curl_socket_t) -> Int32 {
        sockets.closes(socket)
        return Glibc.close(socket)
    }

    /// Has libcurl tell when it closes a connection of that handle.
    func hearOfClosing(_ easy: OpaquePointer) {
        ccurl_set_close_callback(easy, closeCallback, Unmanaged.passUnretained(self).toOpaque())
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
        enter { curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, $0) }
        settleTurn()
    }
}

private let socketIsReady: cepoll_guest_ready = { me, socket, events in
    Unmanaged<TransferLoop>.fromOpaque(me!).takeUnretainedValue().guestIsReady(socket, events)
}

private let socketsAreServed: cepoll_guests_served = { me in
    Unmanaged<TransferLoop>.fromOpaque(me!).takeUnretainedValue().guestsAreServed()
}

private let socketCallback: curl_socket_callback = { _, socket, what, me, _ in
    Unmanaged<TransferLoop>.fromOpaque(me!).takeUnretainedValue().watch(socket, what)
    return 0
}

private let closeCallback: curl_closesocket_callback = { me, socket in
    Unmanaged<TransferLoop>.fromOpaque(me!).takeUnretainedValue().close(socket)
}

private let timerCallback: curl_multi_timer_callback = { _, milliseconds, me in
    Unmanaged<TransferLoop>.fromOpaque(me!).takeUnretainedValue().setTimeout(milliseconds: milliseconds)
    return 0
}

/// `curl_global_init_mem`, once for the process.
private enum LibcurlGlobal {
    static let initialised: Void = {
        let code = curl_global_init_mem(
            Int(CURL_GLOBAL_DEFAULT),
            cguests_pool_malloc,
            cguests_pool_free,
            cguests_pool_realloc,
            cguests_pool_strdup,
            cguests_pool_calloc
        )
        precondition(code == CURLE_OK, "curl_global_init_mem failed")
    }()
}
