internal import Foundation
internal import Glibc

/// What was built, and where.
enum Build {
    /// The folder of the test bundle, which SwiftPM puts the executables into as well.
    static let folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()

    static let checkout = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// - Returns: its path; `SLUICE_BINARIES` names the folder of another build, for measurements.
    static func executable(_ name: String) -> String {
        let other = ProcessInfo.processInfo.environment["SLUICE_BINARIES"].map { URL(fileURLWithPath: $0) }
        return (other ?? folder).appendingPathComponent(name).path
    }

    enum Kind {
        case release
        case debug
        /// Memory figures mean nothing: sanitizers keep shadows and quarantines.
        case sanitized
    }

    static let kind: Kind = {
        let program = dlopen(nil, RTLD_NOW)
        defer { if let program { dlclose(program) } }
        if dlsym(program, "__asan_init") != nil || dlsym(program, "__tsan_init") != nil { return .sanitized }
        #if DEBUG
            return .debug
        #else
            return .release
        #endif
    }()
}
