package import Foundation
internal import Glibc

/// A program that a test started. It never outlives this object.
///
/// Foundation's `Process` hands its thread's blocked signals down to the child, which then cannot be terminated.
package final class ChildProcess: Sendable {
    package let id: pid_t
    private let output: URL?
    private let status = Mutex<ExitStatus?>(nil)

    package enum ExitStatus: Equatable, Sendable {
        case exited(Int32)
        case signalled(Int32)
    }

    /// - Parameters:
    ///   - executable: its path.
    ///   - environment: variables beside this process's own.
    ///   - folder: where it runs; `nil` for where this process does.
    ///   - output: the file that gets what it prints, both streams; `nil` for nobody.
    package init(
        _ executable: String,
        _ arguments: [String] = [],
        environment: [String: String] = [:],
        in folder: URL? = nil,
        output: URL? = nil
    ) throws {
        self.output = output
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output?.path ?? "/dev/null", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // A socket that the child inherited would stay open when the test closes it.
        for descriptor in OpenDescriptors.of(getpid()) where descriptor > 2 {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        let merged = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        // Swift sees no way to name the folder to posix_spawn.
        let shell = folder.map { ["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", $0.path] } ?? []
        let command = shell + [executable] + arguments
        var argv = command.map { strdup($0) } + [nil]
        var envp = merged.map { strdup("\($0)=\($1)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var id: pid_t = 0
        let code = posix_spawn(&id, command[0], &actions, &attributes, &argv, &envp)
        guard code == 0 else { throw SystemError(call: "starting \(executable)", code: code) }
        self.id = id
        _ = Self.endsWithThisProcess
        Self.running.withLock { $0[id] = command.joined(separator: " ") }
    }

    deinit { kill() }

    /// Those that nobody has seen end, and what they were started with.
    private static let running = Mutex<[pid_t: String]>([:])

    /// What still runs when the tests are over is named, and ended: somebody holds on to it.
    private static let endsWithThisProcess: Void = {
        atexit {
            for (id, command) in ChildProcess.running.withLock({ $0 }) {
                FileHandle.standardError.write(Data("still running at the end: \(command)\n".utf8))
                Glibc.kill(id, SIGKILL)
            }
        }
    }()

    /// Both streams, so far.
    package var printed: String { output.flatMap { try? String(contentsOf: $0, encoding: .utf8) } ?? "" }

    /// `nil` while it runs.
    package var exitStatus: ExitStatus? {
        status.withLock { status in
            if status != nil { return status }
            var raw: Int32 = 0
            guard waitpid(id, &raw, WNOHANG) == id else { return nil }
            Self.running.withLock { $0[id] = nil }
            let signal = raw & 0x7F
            status = signal == 0 ? .exited((raw >> 8) & 0xFF) : .signalled(signal)
            return status
        }
    }

    package func signal(_ number: Int32) { if exitStatus == nil { Glibc.kill(id, number) } }

    package func awaitExit(until deadline: Deadline = .soon) throws -> ExitStatus {
        try wait(for: "the end of process \(id)", until: deadline) { exitStatus }
    }

    /// Ends it at once and waits until it is gone.
    package func kill() {
        guard exitStatus == nil else { return }
        Glibc.kill(id, SIGKILL)
        _ = try? awaitExit()
    }

    /// Runs a program that must succeed. The command is split at its spaces.
    package static func run(_ command: String, in folder: URL) async throws {
        let words = command.split(separator: " ").map(String.init)
        let process = try ChildProcess(words[0], Array(words[1...]), in: folder)
        try await eventually("\(command) ends") { process.exitStatus != nil }
        guard process.exitStatus == .exited(0) else { throw Unexpected("\(command) failed") }
    }

    /// Memory in RAM, in bytes; 0 when it is gone.
    package var residentBytes: Int {
        guard let text = try? String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") })
        else { return 0 }
        return (line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 1_024
    }

    package var openDescriptors: Int { OpenDescriptors.of(id).count }
}

package enum OpenDescriptors {
    package static func of(_ process: pid_t) -> [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd")) ?? []
        return names.compactMap { Int32($0) }
    }

    /// Lets this process, and those it starts, have as many as the machine allows.
    package static func raiseLimit(to wanted: UInt) throws {
        var limit = rlimit()
        try SystemError.check(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit), "getrlimit")
        if limit.rlim_cur >= wanted { return }
        limit.rlim_cur = min(wanted, limit.rlim_max)
        try SystemError.check(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit), "setrlimit")
    }
}
