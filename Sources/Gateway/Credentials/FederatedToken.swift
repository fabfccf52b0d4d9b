internal import Glibc

/// The token that Kubernetes leaves in a file for Entra ID. It is read at every request, because Kubernetes replaces it.
enum FederatedToken {
    /// `nil` unless the file has one line of visible characters, no longer than `TokenRequest.maxAssertionBytes`.
    static func read(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: TokenRequest.maxAssertionBytes + 2)
        var count = 0
        while count < bytes.count {
            let read = bytes.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress! + count, $0.count - count) }
            guard read > 0 else { break }
            count += read
        }
        let text = bytes[..<count].prefix { $0 != 0x0A && $0 != 0x0D }
        let rest = bytes[..<count].dropFirst(text.count)
        guard (1...TokenRequest.maxAssertionBytes).contains(text.count), rest.allSatisfy({ $0 == 0x0A || $0 == 0x0D }),
            text.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        return String(decoding: text, as: UTF8.self)
    }
}
