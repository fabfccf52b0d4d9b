internal import CBuildStamp

/// What `sluice --version` prints.
enum Version {
    /// The release that the sources lead to (Semantic Versioning 2.0).
    static let number = "0.1.0"

    /// The number, and the commit when `deploy/stamp` has written one into this executable.
    static var text: String {
        let commit = String(cString: CBuildStamp_commit())
        return commit.isEmpty ? "\(number) (commit unknown)" : "\(number) (commit \(commit))"
    }
}
