internal import FoundationEssentials
internal import Glibc

/// Standard output for results, standard error for the rest.
enum Output {
    static func say(_ text: String) { write(text, STDOUT_FILENO) }

    static func complain(_ text: String) { write("sluice-load: \(text)\n", STDERR_FILENO) }

    static func write(_ text: String, _ descriptor: Int32) {
        var left = Array(text.utf8)[...]
        while !left.isEmpty {
            let written = left.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard written > 0 else { return }
            left = left.dropFirst(written)
        }
    }

    static func write(_ bytes: Data, to path: String) throws {
        try bytes.write(to: URL(filePath: path))
    }
}

/// The lines that tell how a load goes: one that is overwritten on a terminal, plain ones elsewhere.
struct Progress: Sendable {
    private let isQuiet: Bool
    private let isTerminal = isatty(STDERR_FILENO) == 1

    init(isQuiet: Bool) { self.isQuiet = isQuiet }

    func show(_ second: RunResult.Second, elapsed: Double) {
        guard !isQuiet else { return }
        let line = ProgressLine.text(second, elapsed: elapsed)
        Output.write(isTerminal ? "\r\u{1B}[K\(line)" : "\(line)\n", STDERR_FILENO)
    }

    func end() {
        if isTerminal, !isQuiet { Output.write("\r\u{1B}[K", STDERR_FILENO) }
    }
}
