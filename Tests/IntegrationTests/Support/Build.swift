internal import Foundation
internal import Glibc

/// What was built, and where.
enum Build {
    /// The folder of the test bundle, which SwiftPM puts the executables into as well.
    static let folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()

    static let checkout = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func executable(_ name: String) -> String { folder.appendingPathComponent(name).path }

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

/// A folder that is gone when this object is.
final class TemporaryFolder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("sluice-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func write(_ text: String, to name: String) throws -> URL {
        let file = url.appendingPathComponent(name)
        try text.write(to: file, atomically: true, encoding: .utf8)
        return file
    }
}
