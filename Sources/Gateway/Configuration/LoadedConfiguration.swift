/// A configuration and what is worth knowing about the file that it comes from.
package struct LoadedConfiguration: Sendable, Equatable {
    package var configuration: GatewayConfiguration
    /// The file was PowerProxy's.
    package var isPowerProxy = false
    /// Where the gateway will not do what the file means, in the order of the file.
    package var notes: [ConfigurationNote] = []

    /// The same as a file in the gateway's own format, with the notes as comments.
    ///
    /// Holds secrets where the file holds them.
    package func nativeText() -> String {
        var comments: [String: [String]] = self.isPowerProxy ? ["": ["Made from PowerProxy's configuration."]] : [:]
        for note in self.notes {
            comments[note.path, default: []] += note.message.wrapped(at: 110)
        }
        var writer = ConfigurationWriter(notes: comments)
        return writer.text(of: self.configuration.tree)
    }
}

/// One thing that the gateway does otherwise than the file means.
package struct ConfigurationNote: Sendable, Equatable, CustomStringConvertible {
    package var file: String
    package var position: ConfigurationPosition
    package var message: String
    /// Where it stands in the gateway's own format, such as `clients[0].models`; empty for the whole file.
    package var path: String

    package var description: String {
        "\(self.file):\(self.position.line):\(self.position.column): note: \(self.message)"
    }
}

extension String {
    /// Lines of at most so many characters, broken at spaces.
    fileprivate func wrapped(at width: Int) -> [String] {
        var lines: [String] = []
        for word in self.split(separator: " ") {
            if let last = lines.last, last.count + word.count < width {
                lines[lines.count - 1] = "\(last) \(word)"
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}
