import ArgumentParser
internal import FoundationEssentials
internal import Glibc

/// `sluice-load run SCENARIO`
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs a scenario. (default)",
        discussion: """
            A condition is FIGURE, comparison, value: p99>50ms, client.team-a.error_rate>=1%, first_token.p95>1s, \
            throughput<5000, overshoot>0, books>0. Figures: \
            \(FailCondition.Percentile.allCases.map(\.rawValue).joined(separator: ", ")), alone or behind \
            \(FailCondition.Times.allCases.map { $0.rawValue + "." }.joined(separator: ", ")); \
            \(FailCondition.Count.allCases.map(\.rawValue).joined(separator: ", ")); these also behind client.NAME., \
            model.NAME. or target.NAME.; \(FailCondition.Whole.allCases.map(\.rawValue).joined(separator: ", ")).
            """
    )

    @Argument(help: "The scenario, a YAML file.")
    var scenario: String

    @Option(help: ArgumentHelp("Where to send, instead of the scenario's targets; may be repeated.", valueName: "url"))
    var target: [String] = []

    @Option(help: ArgumentHelp("A mock-azure whose books are compared; may be repeated.", valueName: "url"))
    var mock: [String] = []

    @Option(help: ArgumentHelp("The Redis with the gateway's usage counters, to compare.", valueName: "url"))
    var redis: String?

    @Option(help: "Instead of the scenario's seed.")
    var seed: UInt64?

    @Option(help: "Event loops, instead of one per core.")
    var loops: Int?

    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("How long, instead of the scenario's time.", valueName: "time")
    )
    var duration: String?

    @Flag(help: "Wait as long as a 429 says, before a retry and between the requests of a worker.")
    var honourRetryAfter = false

    @Option(help: "How often a request is sent again at most.")
    var retries: Int?

    @Option(
        name: .customLong("fail-if"),
        help: ArgumentHelp("Exit 1 if this holds; may be repeated.", valueName: "condition")
    )
    var failIf: [String] = []

    @Option(help: ArgumentHelp("Write the whole result there.", valueName: "file"))
    var json: String?

    @Option(
        help: ArgumentHelp(
            "Write a report to look at there: one page, without anything from outside.",
            valueName: "file"
        )
    )
    var html: String?

    @Flag(help: "No line for each second.")
    var quiet = false

    func run() async throws {
        let result: RunResult
        let conditions: [FailCondition]
        do throws(ScenarioError) {
            let scenario = try self.read()
            conditions = scenario.failIf
            for path in [json, html] { try Self.checkWritable(path) }
            let progress = Progress(isQuiet: quiet)
            result = try await LoadRun(scenario: scenario, onSecond: progress.show).run()
            progress.end()
        } catch {
            Output.complain(error.description)
            throw ExitCode(2)
        }
        Output.say(Summary(result: result).text)
        if let json { try Output.write(ResultFile.encode(result), to: json) }
        if let html { try Output.write(HTMLReport.page(result), to: html) }
        let failed = Self.report(conditions, result)
        if result.wasInterrupted { throw ExitCode(130) }
        if failed { throw ExitCode(1) }
    }

    private static func report(_ conditions: [FailCondition], _ result: RunResult) -> Bool {
        var failed = false
        for condition in conditions {
            switch condition.isMet(by: result) {
            case true?:
                failed = true
                Output.say("FAILED: \(condition.text)\(figure(condition, result))\n")
            case false?: Output.say("held: not \(condition.text)\(figure(condition, result))\n")
            case nil:
                // Nothing was measured that could prove it either way: a check that checks nothing must not pass.
                failed = true
                Output.say("FAILED: \(condition.text): the run has no such figure\n")
            }
        }
        return failed
    }

    private static func figure(_ condition: FailCondition, _ result: RunResult) -> String {
        guard let figure = condition.figure(in: result) else { return "" }
        if case .time = condition.metric { return " (\(Text.milliseconds(figure)))" }
        return " (\(Text.fixed(figure, figure == figure.rounded() ? 0 : 4)))"
    }

    // MARK: Scenario

    private func read() throws(ScenarioError) -> Scenario {
        let folder = scenario.lastIndex(of: "/").map { String(scenario[..<$0]) } ?? ""
        let source = ScenarioSource(
            read: { path throws(ScenarioError) in try Self.text(of: path) },
            folder: folder,
            environment: ProcessInfo.processInfo.environment
        )
        var read = try Scenario.read(try Self.text(of: scenario), file: scenario, from: source)
        if !target.isEmpty { read.targets = try Self.addresses(target, "--target") }
        if !mock.isEmpty || redis != nil {
            var books = read.books ?? Scenario.Books()
            if !mock.isEmpty { books.mocks = try Self.addresses(mock, "--mock") }
            if let redis {
                guard let address = RedisAddress(redis) else {
                    throw ScenarioError("--redis takes redis://HOST:PORT, not '\(redis)'")
                }
                books.redis = address
            }
            read.books = books
        }
        if let seed { read.seed = seed }
        if let loops {
            guard (1...256).contains(loops) else { throw ScenarioError("--loops is from 1 to 256") }
            read.loops = loops
        }
        if let retries {
            guard (0...100).contains(retries) else { throw ScenarioError("--retries is from 0 to 100") }
            read.retries = retries
        }
        if honourRetryAfter { read.honoursRetryAfter = true }
        if let duration {
            guard let seconds = Quantity.seconds(duration), seconds > read.warmUp else {
                throw ScenarioError("--for takes a time longer than the warm-up such as 30s, not '\(duration)'")
            }
            read.mode = read.mode.lasting(seconds)
        }
        for text in failIf {
            guard let condition = FailCondition(text) else {
                throw ScenarioError("--fail-if takes a condition such as p99>50ms, not '\(text)'")
            }
            read.failIf.append(condition)
        }
        guard !read.targets.isEmpty else { throw ScenarioError("no targets: neither in the scenario nor by --target") }
        return read
    }

    private static func addresses(_ texts: [String], _ option: String) throws(ScenarioError) -> [HTTPAddress] {
        var addresses: [HTTPAddress] = []
        for text in texts {
            guard let address = HTTPAddress(text) else {
                throw ScenarioError("\(option) takes an address such as http://127.0.0.1:8080, not '\(text)'")
            }
            addresses.append(address)
        }
        return addresses
    }

    private static func text(of path: String) throws(ScenarioError) -> String {
        do {
            return try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw ScenarioError("cannot read \(path)")
        }
    }

    /// A load of an hour whose result cannot be kept is better not begun.
    private static func checkWritable(_ path: String?) throws(ScenarioError) {
        guard let path else { return }
        guard let file = fopen(path, "a") else { throw ScenarioError("cannot write \(path)") }
        fclose(file)
    }
}

extension Scenario.Mode {
    /// The same load, stretched or cut to so many seconds.
    func lasting(_ seconds: Double) -> Scenario.Mode {
        switch self {
        case .open(let profile, let arrivals):
            return .open(RateProfile(phases: profile.phases(lasting: seconds)), arrivals)
        case .closed(let profile, let thinkTime):
            return .closed(WorkerProfile(phases: profile.levels.phases(lasting: seconds)), thinkTime: thinkTime)
        }
    }
}

extension RateProfile {
    fileprivate func phases(lasting seconds: Double) -> [Phase] {
        let factor = seconds / self.seconds
        return phases.map { Phase(from: $0.from, to: $0.to, seconds: $0.seconds * factor) }
    }
}
