import Foundation
import Testing

@testable import LoadTool

@Suite("A scenario")
struct ScenarioTests {
    @Test("is read with every key there is")
    func everything() throws {
        let text = """
            name: all
            seed: 7
            warm_up: 500ms
            max_requests: 20k
            loops: 2
            targets: ["http://127.0.0.1:8080", "https://gateway.example"]
            tls: {ca_file: ca.pem, verify: false}
            load:
              open:
                arrivals: poisson
                phases: [{rate: 10, for: 5s}, {from: 10, to: 1.5k, for: 2m}]
            connections: 32
            timeouts: {connect: 1s, request: 30s, drain: 2s}
            max_in_flight: 500
            retry: {times: 3, honour_retry_after: true}
            clients:
              - {name: a, share: 3, key: "${KEY}", limits: {requests_per_minute: 600, tokens_per_minute: 10k, burst: {requests: 5}}}
              - {name: b, keys_file: keys, tokens_file: tokens}
            requests:
              - {name: chat, model: gpt-4o, stream: true, prompt_tokens: {lognormal: {median: 100, p95: 2k}, max: 4k}, max_tokens: 5,
                 user: "mock:interval=5", verify: mock, abort: {fraction: 10%, after_events: {uniform: [1, 9]}}}
              - {name: again, recorded: recorded, path: /v1, share: 0.5}
              - {get: /health}
            windows: [1s, 10s]
            books: {mock: "http://127.0.0.1:9", redis: "redis://u:p@localhost:7000", namespace: "7"}
            fail_if: ["p99>50ms"]
            """
        let files = [
            "keys": "one\ntwo\n", "tokens": "t\n",
            "recorded": #"{"model":"m1","stream":true}"# + "\n" + #"{"path":"/p","body":{"model":"m2","x":"}"}}"#,
        ]
        let scenario = try Scenario.read(text, file: "all.yaml", from: source(files, environment: ["KEY": "secret"]))
        #expect(scenario.name == "all" && scenario.seed == 7 && scenario.warmUp == 0.5 && scenario.loops == 2)
        #expect(scenario.maximumRequests == 20_000 && scenario.connections == 32 && scenario.maximumInFlight == 500)
        #expect(scenario.targets.map(\.name) == ["127.0.0.1:8080", "gateway.example:443"])
        #expect(scenario.targets.map(\.serverName) == [nil, "gateway.example"])
        #expect(scenario.certificateAuthority == "ca.pem" && !scenario.verifiesCertificates)
        let phases: [RateProfile.Phase] = [
            .init(from: 10, to: 10, seconds: 5), .init(from: 10, to: 1_500, seconds: 120),
        ]
        #expect(scenario.mode == .open(RateProfile(phases: phases), .poisson))
        #expect((scenario.connectTimeout, scenario.requestTimeout, scenario.drain) == (1, 30, 2))
        #expect(scenario.retries == 3 && scenario.honoursRetryAfter)
        #expect(scenario.clients[0].credentials == ["api-key: secret\r\n"])
        #expect(scenario.clients[0].limits.requests == .init(perMinute: 600, burst: 5))
        #expect(scenario.clients[0].limits.tokens == .init(perMinute: 10_000, burst: 10_000))
        let ofB = ["api-key: one\r\n", "api-key: two\r\n", "authorization: Bearer t\r\n"]
        #expect(scenario.clients[1].credentials == ofB)
        let chat = scenario.requests[0]
        #expect(chat.verify == .mock && chat.abortFraction == 0.1)
        guard case .chat(let sizes) = chat.content else { throw ScenarioError("no chat") }
        #expect(sizes.promptTokens == Distribution(.logNormal(median: 100, p95: 2_000), within: 0...4_000))
        #expect(
            scenario.requests[1].content
                == .recorded([
                    RecordedRequest(path: nil, model: "m1", body: #"{"model":"m1","stream":true}"#, isStreamed: true),
                    RecordedRequest(path: "/p", model: "m2", body: #"{"model":"m2","x":"}"}"#, isStreamed: false),
                ])
        )
        #expect(scenario.requests[2].content == .fixed(path: "/health", body: nil))
        #expect(scenario.windows == [1, 10])
        #expect(scenario.books?.redis?.port == 7_000 && scenario.books?.redis?.password == "p")
        #expect(scenario.failIf.map(\.text) == ["p99>50ms"])
    }

    @Test("is a closed loop if it says so")
    func closed() throws {
        let read = try scenario(load: "closed: {workers: 8, for: 10s, think_time: {exponential: 100ms}}")
        let profile = WorkerProfile(workers: 8, seconds: 10)
        #expect(read.mode == .closed(profile, thinkTime: Distribution(.exponential(mean: 0.1))))
        let steps = try scenario(
            load: "closed: {phases: [{workers: 2, for: 5s}, {from: 2, to: 1k, for: 1m}], think_time: 1s}"
        )
        let phases: [RateProfile.Phase] = [
            .init(from: 2, to: 2, seconds: 5), .init(from: 2, to: 1_000, seconds: 60),
        ]
        #expect(steps.mode == .closed(WorkerProfile(phases: phases), thinkTime: Distribution(.fixed(1))))
        #expect(steps.mode.seconds == 65)
        #expect(
            steps.mode.lasting(13)
                == .closed(
                    WorkerProfile(phases: [
                        .init(from: 2, to: 2, seconds: 1), .init(from: 2, to: 1_000, seconds: 12),
                    ]),
                    thinkTime: Distribution(.fixed(1))
                )
        )
    }

    @Test(
        "is refused with the place and one sentence",
        arguments: [
            ("sead: 3", "x.yaml:4:1: unknown key 'sead'; known here: "),
            ("loops: 0", "loops: expected a number from 1 to 256"),
            ("loops: 1.5", "expected a whole number"),
            ("warm_up: 9s", "warm_up is not shorter than the load"),
            ("warm_up: 9", "expected a duration such as 75ms"),
            ("targets: [ftp://x]", "targets[0]: expected an address such as http://127.0.0.1:8080"),
            ("targets: [\"http://x/path\"]", "expected an address"),
            ("fail_if: [p98>5ms]", "expected a condition such as p99>50ms, not 'p98>5ms'"),
            ("seed: 1\nseed: 2", "not YAML"),
            ("retry: {times: 2, honor: true}", "unknown key 'honor'"),
            ("name: ${NOBODY}", "the environment has no NOBODY"),
            ("books: {redis: \"http://x\"}", "expected redis://"),
        ]
    )
    func refusals(line: String, reason: String) {
        #expect { try scenario(line) } throws: { "\($0)".contains(reason) }
    }

    @Test(
        "is refused when load, clients or requests make no sense",
        arguments: [
            ("load: {}", "expected either 'open' or 'closed'"),
            ("load: {open: {phases: [{rate: 0, for: 5s}]}}", "no request arrives"),
            ("load: {open: {phases: [{rate: 1}]}}", "the key 'for' is missing"),
            ("load: {open: {phases: [{from: 1, for: 5s}]}}", "the key 'to' is missing"),
            ("load: {open: {arrivals: regular, phases: []}}", "expected one of constant, poisson"),
            ("load: {closed: {phases: [{workers: 0, for: 5s}]}}", "nobody works"),
            ("load: {closed: {phases: [{rate: 1, for: 5s}]}}", "the key 'from' is missing"),
            ("load: {closed: {phases: [{workers: 1, for: 5s}], workers: 2}}", "unknown key 'workers'"),
            ("clients: []", "expected 1 to"),
            ("clients: [{name: a}, {name: a}]", "there are two clients 'a'"),
            ("clients: [{name: a, key: \"x\\r\\ny: z\"}]", "a key or token is printable ASCII"),
            ("clients: [{name: a, keys_file: gone}]", "cannot read gone"),
            ("requests: [{stream: true}]", "the key 'model' is missing"),
            ("requests: [{model: m, prompt_tokens: {uniform: [3]}}]", "expected [LOW, HIGH]"),
            ("requests: [{model: m, prompt_tokens: {lognormal: {median: 5, p95: 2}}}]", "expected 0 < median <= p95"),
            ("requests: [{model: m, prompt_tokens: {min: 5}}]", "expected one of uniform"),
            ("requests: [{get: no-slash}]", "expected a path"),
            ("requests: [{recorded: bad}]", "a recorded request is no JSON object"),
        ]
    )
    func parts(line: String, reason: String) {
        var lines = [
            "load": "load: {open: {phases: [{rate: 1, for: 5s}]}}", "clients": "clients: [{name: a}]",
            "requests": "requests: [{model: m}]",
        ]
        lines[String(line.prefix { $0 != ":" })] = line
        #expect {
            let text = lines.values.joined(separator: "\n")
            _ = try Scenario.read(text, file: "x.yaml", from: source(["bad": "[1]\n"]))
        } throws: { "\($0)".contains(reason) }
    }

    @Test("of those that come along is accepted, whatever its name")
    func bundled() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../bench/scenarios")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".yaml") }
        #expect(files.count >= 2)
        let environment = Dictionary(uniqueKeysWithValues: ["A", "B", "C", "D"].map { ("TEAM_\($0)_KEY", "key") })
        for file in files {
            let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
            let scenario = try Scenario.read(text, file: file, from: source(environment: environment))
            #expect("\(scenario.name).yaml" == file)
        }
    }

    @Test("lasts as long as the command line says, with its phases in proportion")
    func lasting() {
        let profile = RateProfile(phases: [.init(from: 1, to: 1, seconds: 10), .init(from: 1, to: 5, seconds: 30)])
        let phases: [RateProfile.Phase] = [.init(from: 1, to: 1, seconds: 1), .init(from: 1, to: 5, seconds: 3)]
        #expect(Scenario.Mode.open(profile, .poisson).lasting(4) == .open(RateProfile(phases: phases), .poisson))
    }
}
