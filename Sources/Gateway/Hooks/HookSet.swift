internal import Logging
internal import NIOConcurrencyHelpers
internal import Synchronization

/// The hooks of a build, and what they share: threads, bounds, and the count of what went wrong.
final class HookSet: Sendable {
    /// What each exchange begins with a copy of.
    let hooks: [any ExchangeHook]
    let readsEvents: Bool
    let threads = HookThreads()
    /// Exchanges that have ended while their hooks have not: `settled` is on its way, or a call hangs.
    let behind = Tally()
    private let logger: Logger
    private let failures: NIOLockedValueBox<[HookFailure.Kind: [Int]]>
    private let stopped = Atomic<Bool>(false)

    /// With so many exchanges `behind`, new ones are refused: hooks that cannot keep up must not fill the memory, and a request
    /// that they would have refused must not pass.
    static let mostBehind = 1024
    /// How long a shutdown waits for those behind.
    static let longestDrain = Duration.seconds(5)

    /// - Parameter hooks: at least one, each with a name of its own.
    init(_ hooks: [any ExchangeHook], logger: Logger) {
        let names = hooks.map(\.name)
        precondition(1...HookRun.Progress.mostHooks ~= hooks.count, "none or too many hooks")
        precondition(Set(names).count == names.count, "two hooks of one name")
        precondition(names.allSatisfy(Self.isName), "a hook's name has lower-case letters, digits and '-'")
        self.hooks = hooks
        self.logger = logger
        readsEvents = hooks.contains { $0 is any StreamHook }
        failures = NIOLockedValueBox([:])
    }

    /// In order, for the log.
    var names: String { hooks.map(\.name).joined(separator: " ") }

    private static func isName(_ name: String) -> Bool {
        1...64 ~= name.utf8.count
            && name.utf8.allSatisfy { 0x61...0x7A ~= $0 || 0x30...0x39 ~= $0 || $0 == UInt8(ascii: "-") }
    }

    /// Nobody is left to be told what hooks decide.
    var isStopped: Bool { stopped.load(ordering: .acquiring) }

    func note(_ failure: HookFailure, of exchange: String) {
        failures.withLockedValue { $0[failure.kind, default: hooks.map { _ in 0 }][failure.hook] += 1 }
        logger.error(
            "hook failed",
            metadata: [
                "hook": "\(hooks[failure.hook].name)", "moment": "\(failure.moment)", "exchange": "\(exchange)",
                "cause": "\(failure.cause.prefix(300))",
            ]
        )
    }

    /// Exchanges that hooks have failed, by hook and kind.
    func counts() -> [(hook: String, kind: HookFailure.Kind, count: Int)] {
        let failures = failures.withLockedValue { $0 }
        return hooks.enumerated().flatMap { index, hook in
            HookFailure.Kind.allCases.map { (hook.name, $0, failures[$0]?[index] ?? 0) }
        }
    }

    /// Returns when no exchange is behind, or after `longestDrain`; from then on hooks are not heard. To be called once.
    func drain() async {
        if await !behind.waitUntilZero(limit: Self.longestDrain) {
            logger.warning("hooks are left behind", metadata: ["exchanges": "\(behind.count)"])
        }
        stopped.store(true, ordering: .releasing)
        threads.stop()
    }
}

/// A call of a hook that did not end as it should.
struct HookFailure: Error {
    enum Kind: String, CaseIterable {
        case threw
        case timedOut = "timed_out"
    }

    let kind: Kind
    /// Index in `HookSet.hooks`.
    let hook: Int
    let moment: StaticString
    /// For the log alone.
    let cause: String
}
