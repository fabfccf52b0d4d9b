internal import NIOCore

/// When requests are begun: by the schedule, or when a worker is free.
extension LoadLoop: NIOScheduledCallbackHandler {
    /// Begun in one go before answers are looked at again.
    private static let maximumBatch = 32
    private static let turn: Int64 = 20_000
    /// A worker whose request failed without an answer waits so long: a target that is away is not worth a busy loop.
    private static let pauseAfterFailure: Int64 = 10_000_000
    private static let sweepInterval = TimeAmount.milliseconds(50)

    private var end: Int64 { Int64(scenario.mode.seconds * 1e9) }

    var endOfDrain: Int64 { end + Int64(scenario.drain * 1e9) }

    func startPace() {
        thinkTimes = SplitMix(seed: scenario.seed, index: -1 - index)
        switch scenario.mode {
        case .open(let profile, let arrivals):
            schedule = ArrivalSchedule(profile, arrivals, seed: scenario.seed)
            nextArrival()
            wake(at: arrival?.nanoseconds ?? 0)
        case .closed(let profile, _):
            workerTurns = [Int](repeating: 0, count: profile.most)
            eventLoop.assumeIsolated().scheduleTask(deadline: deadline(0)) { [weak self] in
                if let self { for worker in self.workers { self.workerBegins(worker) } }
            }
        }
        let wrapUp = eventLoop.assumeIsolated()
        wrapUp.scheduleTask(deadline: deadline(end)) { [weak self] in self?.finishIfDone() }
        wrapUp.scheduleTask(deadline: deadline(endOfDrain)) { [weak self] in self?.stop(countsOpen: true) }
        sweepAgain()
    }

    private func sweepAgain() {
        guard !isOver else { return }
        eventLoop.assumeIsolated().scheduleTask(in: Self.sweepInterval) { [weak self] in
            self?.sweep()
            self?.sweepAgain()
        }
    }

    /// Nothing is left to be sent or to be waited for.
    func finishIfDone() {
        guard inFlight == 0, isOver || arrivalsAreOver else { return }
        isOver = true
        whenDone?.succeed()
        whenDone = nil
    }

    private var arrivalsAreOver: Bool {
        switch scenario.mode {
        case .open: arrival == nil
        case .closed: now() >= end || workers.allSatisfy { turn(of: $0) == nil || due($0) == nil }
        }
    }

    // MARK: Open

    /// The schedule is the same on all loops; each takes its share of it.
    private func nextArrival() {
        repeat { arrival = schedule?.next() } while arrival.map { $0.index % count != index } ?? false
        if let next = arrival, next.index >= scenario.maximumRequests { arrival = nil }
    }

    private func wake(at nanoseconds: Int64) {
        _ = try? eventLoop.assumeIsolated().scheduleCallback(at: deadline(nanoseconds), handler: self)
    }

    func handleScheduledCallback(eventLoop: some EventLoop) {
        var batch = 0
        while let next = arrival, !isOver, next.nanoseconds <= now() {
            if batch == Self.maximumBatch { break }
            batch += 1
            nextArrival()
            begin(factory.draw(next.index), worker: nil, intended: next.nanoseconds)
        }
        guard let next = arrival, !isOver else { return finishIfDone() }
        // A moment for what came meanwhile, so that a schedule that cannot be kept does not starve the answers.
        wake(at: batch == Self.maximumBatch ? max(next.nanoseconds, now() + Self.turn) : next.nanoseconds)
    }

    // MARK: Closed

    /// Those of this loop.
    private var workers: StrideTo<Int> { stride(from: index, to: workerTurns.count, by: count) }

    /// The number of the worker's next request; nil when it has none left.
    private func turn(of worker: Int) -> Int? {
        let request = workerTurns[worker] * workerTurns.count + worker
        return request < scenario.maximumRequests ? request : nil
    }

    /// When the worker is one of those that work: now, later, or never again.
    private func due(_ worker: Int) -> Int64? {
        guard case .closed(let profile, _) = scenario.mode else { return nil }
        let now = now()
        return profile.turn(of: worker, from: Double(now) / 1e9).map { max(now, Int64(($0 * 1e9).rounded(.up))) }
    }

    private func workerBegins(_ worker: Int) {
        guard !isOver, now() < end, let request = turn(of: worker), let due = due(worker) else { return finishIfDone() }
        let wait = due - now()
        if wait > 0 { return after(wait) { $0.workerBegins(worker) } }
        workerTurns[worker] += 1
        begin(factory.draw(request), worker: worker, intended: now())
    }

    func workerIsFree(_ worker: Int, after exchange: Exchange, now: Int64) {
        guard case .closed(_, let thinkTime) = scenario.mode, !isOver else { return }
        var pause = Int64(thinkTime.draw(&thinkTimes) * 1e9)
        if exchange.status == 429, scenario.honoursRetryAfter, let told = exchange.retryAfterMilliseconds {
            pause = max(pause, Int64(told) * 1_000_000)
        }
        if exchange.status == 0 { pause = max(pause, Self.pauseAfterFailure) }
        guard now + pause < end else { return }
        if pause > 0 { after(pause) { $0.workerBegins(worker) } } else { workerBegins(worker) }
    }
}
