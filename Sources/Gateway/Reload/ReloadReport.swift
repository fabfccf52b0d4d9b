internal import Coordination
internal import NIOConcurrencyHelpers

/// How the configuration in force came to be, for `/status`, metrics and the log. No secret is in it.
struct ReloadReport: Sendable, Equatable {
    /// Configurations taken up since the start, the first one not counted.
    var reloads = 0
    /// Attempts that kept the old configuration, as the new one had errors.
    var failures = 0
    /// What was wrong the last time; `nil` while the configuration in force is what the files say.
    var error: String?
    /// Keys whose change waits for a restart.
    var needsRestart: [String] = []
    /// What every live replica runs, as they last said; empty where this process decides alone.
    var replicas: [ReplicaReport] = []

    /// How many different configurations the fleet runs.
    var configurations: Int { Set(replicas.map(\.hash)).count }
}

/// The configuration in force in this process, and how it came to be. Read by the admin server, written by `Reloader`.
final class CurrentSnapshot: Sendable {
    private let value: NIOLockedValueBox<(snapshot: Snapshot, report: ReloadReport)>

    init(_ snapshot: Snapshot) { value = NIOLockedValueBox((snapshot, ReloadReport())) }

    var snapshot: Snapshot { value.withLockedValue { $0.snapshot } }
    var report: ReloadReport { value.withLockedValue { $0.report } }

    func set(_ snapshot: Snapshot) { value.withLockedValue { $0.snapshot = snapshot } }
    func note(_ change: (inout ReloadReport) -> Void) { value.withLockedValue { change(&$0.report) } }
}
