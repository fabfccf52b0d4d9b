internal import Glibc
internal import Histogram
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import UnixSignals

/// A run from the first look at the targets to the result.
struct LoadRun: Sendable {
    private static let startDelay = TimeAmount.milliseconds(20)
    /// A day. Of what comes later only the sums are kept.
    private static let maximumSeconds = 86_400

    let scenario: Scenario
    /// Told once a second.
    let onSecond: @Sendable (RunResult.Second, _ elapsed: Double) -> Void

    /// What makes the run look up.
    private enum Wake {
        case second
        case done
        case interrupted
    }

    private struct Raw {
        var recorder: Recorder
        var timeline: [RunResult.Second] = []
        var elapsed = 0.0
        var wasInterrupted = false
        var leftOpen = 0
        var utilisation = 0.0
    }

    func run() async throws(ScenarioError) -> RunResult {
        Self.raiseDescriptorLimit()
        let tls = try Self.tlsContext(scenario)
        let loops = scenario.loops ?? System.coreCount
        let group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
        let control = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let result = try await run(on: group, control: control, tls: tls)
            try await group.shutdownGracefully()
            try await control.shutdownGracefully()
            return result
        } catch let error as ScenarioError {
            throw error
        } catch {
            throw ScenarioError("the load could not be run: \(error)")
        }
    }

    private func run(
        on group: MultiThreadedEventLoopGroup,
        control: MultiThreadedEventLoopGroup,
        tls: NIOSSLContext?
    ) async throws -> RunResult {
        let factory = RequestFactory(scenario)
        let probe = HTTPProbe(group: control, tls: tls)
        try await Preflight(probe: probe, factory: factory).check()
        let reader = scenario.books.map { BookReader(books: $0, probe: probe) }
        let before = try await reader?.readSettled() ?? [:]
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let raw = try await load(factory, on: group, control: control, tls: tls)
        var notes: [String] = []
        var after: [String: BookEntry] = [:]
        do throws(ScenarioError) {
            after = try await reader?.readSettled() ?? [:]
        } catch {
            // The load is over: what it measured is worth more than the books.
            notes.append(error.description)
        }
        let books = BookComparison.lines(seen: raw.recorder.everything, before: before, after: after)
        return result(raw, factory, startedAt: Double(time.tv_sec), books: books, notes: notes)
    }

    // MARK: Load

    private func load(
        _ factory: RequestFactory,
        on group: MultiThreadedEventLoopGroup,
        control: MultiThreadedEventLoopGroup,
        tls: NIOSSLContext?
    ) async throws -> Raw {
        let eventLoops = Array(group.makeIterator())
        var loops: [NIOLoopBound<LoadLoop>] = []
        for (index, eventLoop) in eventLoops.enumerated() {
            loops.append(
                try await eventLoop.submit {
                    let loop = LoadLoop(eventLoop, factory: factory, index: index, count: eventLoops.count, tls: tls)
                    return NIOLoopBound(loop, eventLoop: eventLoop)
                }.get()
            )
        }
        let (wakes, wake) = AsyncStream.makeStream(of: Wake.self)
        let signals = Task {
            for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) { wake.yield(.interrupted) }
        }
        defer { signals.cancel() }
        let origin = NIODeadline.now() + Self.startDelay
        let ends = loops.map { loop in
            let promise = loop.eventLoop.makePromise(of: Void.self)
            loop.eventLoop.execute {
                loop.value.whenDone = promise
                loop.value.start(at: origin)
            }
            return promise.futureResult
        }
        EventLoopFuture.andAllSucceed(ends, on: control.next()).whenComplete { _ in wake.yield(.done) }
        let ticks = control.next().scheduleRepeatedTask(
            initialDelay: Self.startDelay + .seconds(1),
            delay: .seconds(1)
        ) { _ in wake.yield(.second) }
        defer { ticks.cancel() }

        var raw = Raw(recorder: Recorder(scenario: scenario, models: factory.models.count))
        var busiest = [Int64](repeating: 0, count: loops.count)
        events: for await event in wakes {
            try await collect(loops, into: &raw, origin: origin, busiest: &busiest)
            switch event {
            case .second: continue
            case .done: break events
            case .interrupted:
                raw.wasInterrupted = true
                for loop in loops {
                    raw.leftOpen += try await loop.eventLoop.submit {
                        let open = loop.value.inFlight
                        loop.value.stop(countsOpen: false)
                        return open
                    }.get()
                }
            }
        }
        for loop in loops { raw.recorder += try await loop.eventLoop.submit { loop.value.recorder }.get() }
        raw.utilisation = Double(busiest.max() ?? 0) / (raw.elapsed * 1e9)
        return raw
    }

    private func collect(
        _ loops: [NIOLoopBound<LoadLoop>],
        into raw: inout Raw,
        origin: NIODeadline,
        busiest: inout [Int64]
    ) async throws {
        var sum = Interval(targets: scenario.targets.count)
        for (index, loop) in loops.enumerated() {
            let interval = try await loop.eventLoop.submit { loop.value.takeInterval() }.get()
            busiest[index] += interval.busyNanoseconds
            sum += interval
        }
        let now = Double((NIODeadline.now() - origin).nanoseconds) / 1e9
        let second = RunResult.Second(sum, at: raw.elapsed, seconds: max(1e-3, now - raw.elapsed), loops: loops.count)
        raw.elapsed = now
        guard second.seconds > 0.05 || second.ended > 0 else { return }
        if raw.timeline.count < Self.maximumSeconds { raw.timeline.append(second) }
        onSecond(second, now)
    }

    // MARK: Result

    private func result(
        _ raw: Raw,
        _ factory: RequestFactory,
        startedAt: Double,
        books: [RunResult.BookLine],
        notes: [String]
    ) -> RunResult {
        let recorder = raw.recorder
        // The last request of a schedule comes a little before its end.
        let isCutShort = raw.wasInterrupted || recorder.everything.requests >= scenario.maximumRequests
        let whole = isCutShort ? min(raw.elapsed, scenario.mode.seconds) : scenario.mode.seconds
        let seconds = max(1e-3, whole - scenario.warmUp)
        let limits = LimitReport(scenario: scenario, seconds: whole)
        let offered = recorder.clients.map(\.requests)
        let total = RunResult.Group("total", recorder.total, seconds: seconds)
        let lag = Quantiles(recorder.lag)
        let wait = Quantiles(recorder.connectionWait)
        var notes = notes
        if recorder.droppedSpans > 0 {
            notes.append(
                "the accounting of limits stopped after \(Recorder.maximumSpans) requests of a client and a loop"
            )
        }
        if let reason = Self.booksNote(books, recorder.everything) { notes.append(reason) }
        let isOpenLoop = if case .open = scenario.mode { true } else { false }
        return RunResult(
            name: scenario.name,
            seed: scenario.seed,
            startedAt: startedAt,
            seconds: seconds,
            warmUp: scenario.warmUp,
            isOpenLoop: isOpenLoop,
            loops: scenario.loops ?? System.coreCount,
            targets: scenario.targets.map(\.name),
            wasInterrupted: raw.wasInterrupted,
            leftOpen: raw.leftOpen,
            total: total,
            corrected: corrected(recorder.total, seconds: seconds),
            clients: zip(scenario.clients, recorder.clients).map { .init($0.name, $1, seconds: seconds) },
            models: zip(factory.models, recorder.models).map { .init($0, $1, seconds: seconds) },
            byTarget: zip(scenario.targets, recorder.targets).map { .init($0.name, $1, seconds: seconds) },
            timeline: raw.timeline,
            lag: lag,
            connectionWait: wait,
            connectionsOpened: recorder.connectionsOpened,
            utilisation: raw.utilisation,
            bottlenecks: Bottleneck.reasons(
                utilisation: raw.utilisation,
                lag: isOpenLoop ? lag : nil,
                connectionWait: wait,
                latency: total.latency
            ),
            windows: limits.windows(spans: recorder.spans, offered: offered),
            fairness: limits.fairness(
                spans: recorder.spans,
                admitted: recorder.clients.map { $0.succeeded + $0.aborted },
                offered: offered
            ),
            books: books,
            notes: notes
        )
    }

    /// A worker is expected to send as often as it did on average.
    private func corrected(_ total: Tally, seconds: Double) -> Quantiles? {
        guard case .closed(let profile, _) = scenario.mode, total.latency.totalCount > 0 else { return nil }
        let interval = seconds * 1e9 * profile.mean / Double(total.latency.totalCount)
        return Quantiles(total.latency.corrected(interval: UInt64(interval)))
    }

    private static func booksNote(_ books: [RunResult.BookLine], _ seen: Tally) -> String? {
        guard !books.isEmpty, seen.aborted + seen.failed > 0 else { return nil }
        return
            "\(seen.aborted + seen.failed) requests ended without their whole answer: the books may have more of them "
            + "than was seen here"
    }

    // MARK: System

    private static func tlsContext(_ scenario: Scenario) throws(ScenarioError) -> NIOSSLContext? {
        guard scenario.targets.contains(where: \.usesTLS) || scenario.books?.mocks.contains(where: \.usesTLS) == true
        else { return nil }
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let file = scenario.certificateAuthority { configuration.trustRoots = .file(file) }
        if !scenario.verifiesCertificates { configuration.certificateVerification = .none }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw ScenarioError("TLS cannot be set up: \(error)")
        }
    }

    /// As many sockets as the system lets this process have.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
