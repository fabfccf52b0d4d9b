import Glibc

/// A program that a test runs, with its output thrown away.
///
/// Foundation's `Process` hands its thread's blocked signals down to the child, which then cannot be terminated.
final class ChildProcess: @unchecked Sendable {  // used by one test at a time
    private let pid: pid_t
    private var status: Int32?

    init(_ arguments: [String], in folder: String) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in Int32(0)...2 {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var pointers: [UnsafeMutablePointer<CChar>?] =
            (["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", folder] + arguments)
            .map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        pointers.append(nil)
        var pid: pid_t = 0
        let code = posix_spawn(&pid, "/bin/sh", &actions, &attributes, pointers, environ)
        guard code == 0 else { throw TimedOut(description: "\(arguments[0]) does not start, errno \(code)") }
        self.pid = pid
    }

    /// The exit status as waitpid(2) gives it, once there is one.
    func poll() -> Int32? {
        if status == nil {
            var status: Int32 = 0
            if waitpid(pid, &status, WNOHANG) == pid { self.status = status }
        }
        return status
    }

    func exit() async throws -> Int32 {
        try await eventually("a child process ends") { poll() != nil }
        return status ?? -1
    }

    /// Ends it by its process id; at once, as nothing in it is worth keeping.
    func stop() {
        guard poll() == nil else { return }
        kill(pid, SIGKILL)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        self.status = status
    }

    /// Runs a program that must succeed.
    static func run(_ command: String, in folder: String) async throws {
        let process = try ChildProcess(command.split(separator: " ").map(String.init), in: folder)
        guard try await process.exit() == 0 else { throw TimedOut(description: "\(command) failed") }
    }
}
