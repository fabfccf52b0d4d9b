import Glibc

/// A program that a test runs, with what it says in a file.
///
/// Foundation's `Process` hands its thread's blocked signals down to the child, which then cannot be terminated.
final class ChildProcess: @unchecked Sendable {  // used by one test at a time
    let pid: pid_t
    private var status: Int32?

    init(_ arguments: [String], in folder: String) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "\(folder)/output", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
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

    func signal(_ number: Int32) { kill(pid, number) }

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
        try await eventually("\(command) ends") { process.poll() != nil }
        guard process.poll() == 0 else { throw TimedOut(description: "\(command) failed") }
    }
}
