/// Where something stands in a file: line and column from 1, a column being one Unicode scalar.
package struct ConfigurationPosition: Sendable, Hashable, Comparable {
    package var line: Int
    package var column: Int

    static let start = ConfigurationPosition(line: 1, column: 1)

    package static func < (left: Self, right: Self) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// One thing wrong with a configuration, as a sentence that says what, where and how to mend it.
package struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The path as it was given.
    package var file: String
    package var line: Int
    package var column: Int
    /// Never contains a secret, nor anything that came from a substitution.
    package var message: String

    package var description: String {
        "\(self.file):\(self.line):\(self.column): \(self.message)"
    }
}

/// Everything wrong with a configuration, in the order of the file. Never empty.
package struct ConfigurationErrors: Error, Sendable, Equatable, CustomStringConvertible {
    package var errors: [ConfigurationError]

    /// One line for each error.
    package var description: String {
        self.errors.map(\.description).joined(separator: "\n")
    }
}
