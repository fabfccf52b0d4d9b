internal import Glibc

/// A call of the system that failed.
struct SystemFailure: Error, Equatable, CustomStringConvertible {
    let call: StaticString
    let path: String
    let code: Int32

    init(_ call: StaticString, _ path: String, _ code: Int32 = errno) {
        self.call = call
        self.path = path
        self.code = code
    }

    static func == (one: Self, other: Self) -> Bool { one.description == other.description }

    var description: String { "\(call) \(path): \(String(cString: strerror(code)))" }
}

/// The folder in which this process keeps events until every sink has them.
///
/// Several processes may be given one place, such as a volume of all replicas. Each takes a numbered folder in it that no other
/// holds, and what an earlier process left there is delivered by the one that takes it next.
final class SpoolFolder: Sendable {
    let path: String
    /// Eight hexadecimal digits that tell it apart from all others, for the names of the files that are written from it.
    let name: String
    private let lock: Int32

    /// As many processes find a place.
    private static let mostFolders = 1024

    /// Takes the first folder that is free.
    init(in place: String) throws(SystemFailure) {
        try Self.makeFolders(place)
        for number in 0..<Self.mostFolders {
            let path = "\(place)/\(number)"
            try Self.makeFolders(path)
            let lock = open("\(path)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
            guard lock >= 0 else { throw SystemFailure("open", "\(path)/lock") }
            if flock(lock, LOCK_EX | LOCK_NB) != 0 {
                close(lock)
                continue
            }
            self.path = path
            self.lock = lock
            name = try Self.name(lock, path)
            return
        }
        throw SystemFailure("flock", place, EMFILE)
    }

    deinit { close(lock) }

    /// What stands in the lock's file, written by the first who took it.
    private static func name(_ lock: Int32, _ path: String) throws(SystemFailure) -> String {
        var found = [UInt8](repeating: 0, count: 8)
        if pread(lock, &found, 8, 0) == 8, found.allSatisfy(ConfigurationText.isHexadecimal) {
            return String(decoding: found, as: UTF8.self)
        }
        let text = String(UInt32.random(in: .min ... .max), radix: 16)
        let name = String(repeating: "0", count: 8 - text.utf8.count) + text
        guard pwrite(lock, Array(name.utf8), 8, 0) == 8 else { throw SystemFailure("write", "\(path)/lock") }
        return name
    }

    static func makeFolders(_ path: String) throws(SystemFailure) {
        var made = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            made += "/\(part)"
            if mkdir(made, 0o750) != 0, errno != EEXIST { throw SystemFailure("mkdir", made) }
        }
    }

    func path(ofSegment number: UInt64) -> String { "\(path)/\(number).events" }

    func path(ofCursor sink: String) -> String { "\(path)/\(sink).cursor" }

    /// The numbers of the segments that are there, ascending.
    func segments() -> [UInt64] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var numbers: [UInt64] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasSuffix(".events"), let number = UInt64(name.dropLast(7)) { numbers.append(number) }
        }
        return numbers.sorted()
    }

    func remove(segment number: UInt64) { unlink(path(ofSegment: number)) }
}
