internal import Glibc

/// Why a file gave no text, as the end of a sentence: "cannot be read: No such file or directory".
package struct ConfigurationFileError: Error, Sendable, Equatable {
    package var reason: String
    /// Set when the bytes were read and one of them is at fault.
    package var position: ConfigurationPosition?

    package init(reason: String, position: ConfigurationPosition? = nil) {
        self.reason = reason
        self.position = position
    }
}

/// Reads the configuration and the secrets it names.
package enum ConfigurationFile {
    /// The largest file accepted, in bytes: 1 MiB. A configuration of hundreds of clients is a tenth of it.
    static let maximumBytes = 1 << 20

    package static func readText(path: String) -> Result<String, ConfigurationFileError> {
        self.readBytes(path: path).flatMap(self.decode)
    }

    /// The bytes as UTF-8, or the position of the first that is not.
    static func decode(_ bytes: [UInt8]) -> Result<String, ConfigurationFileError> {
        if let text = String(validating: bytes, as: UTF8.self) {
            return .success(text)
        }
        var valid = String.UnicodeScalarView()
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        while case .scalarValue(let scalar) = decoder.decode(&iterator) {
            valid.append(scalar)
        }
        let source = SourceText(String(valid))
        return .failure(
            ConfigurationFileError(
                reason: "it is not UTF-8 text; save it as UTF-8",
                position: source.position(of: source.scalars.count)
            )
        )
    }

    private static func readBytes(path: String) -> Result<[UInt8], ConfigurationFileError> {
        guard !path.utf8.contains(0) else {
            return .failure(ConfigurationFileError(reason: "its path holds a NUL character"))
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            return .failure(self.systemError(errno))
        }
        defer { close(descriptor) }

        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count == 0 {
                return .success(bytes)
            }
            if count < 0 {
                if errno == EINTR { continue }
                return .failure(self.systemError(errno))
            }
            bytes += chunk[..<count]
            if bytes.count > self.maximumBytes {
                return .failure(ConfigurationFileError(reason: "it is larger than 1 MiB"))
            }
        }
    }

    private static func systemError(_ code: CInt) -> ConfigurationFileError {
        ConfigurationFileError(reason: strerror(code).map { String(cString: $0) } ?? "error \(code)")
    }
}
