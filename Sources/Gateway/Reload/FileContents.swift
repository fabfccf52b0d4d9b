/// What files hold, in one digest: whether any has changed, whatever its dates and links say.
///
/// Kubernetes and Container Apps change a mounted file by swapping a link on the way to it, editors by renaming another over it:
/// only the content tells a change from the same again.
struct FileContents: Equatable {
    private let digests: [[UInt8]]

    /// Reads the files; at most 1 MiB of each, which is all that a configuration may have.
    init(of paths: [String]) {
        let hasher = KeyHasher()
        digests = paths.map { path in
            switch ConfigurationFile.readText(path: path) {
            case .success(let text): hasher.digest(of: text).bytes
            case .failure(let error): Array(error.reason.utf8)
            }
        }
    }
}
