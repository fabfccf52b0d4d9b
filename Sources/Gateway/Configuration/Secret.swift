/// A string that must not be printed: descriptions, dumps and mirrors show `[secret]`.
///
/// Equality is plain string equality and takes varying time; a key that a peer presented is compared by digest
/// elsewhere.
package struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: String

    package init(_ value: String) {
        self.value = value
    }

    /// The secret itself. Every call of this is a place to review.
    package func reveal() -> String {
        self.value
    }

    package var description: String { "[secret]" }
    package var debugDescription: String { "[secret]" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
