import Foundation
import Glibc

/// Sets a variable of this process; for exit tests, which have a process of their own.
func setEnvironment(_ name: String, _ value: String) { setenv(name, value, 1) }

/// What this process holds, as the kernel tells it.
enum OwnProcess {
    static var descriptors: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return names.compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)") }
            .filter { !$0.hasPrefix("/proc/") }
            .sorted()
    }

    /// Threads whose name begins so.
    static func threads(named name: String) -> Int {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        return tasks.filter {
            (try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8))?.hasPrefix(name) == true
        }.count
    }
}
