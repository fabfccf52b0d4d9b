/// What the file's format knows and this version of the gateway does not do: refused, because an option that is silently
/// ignored is worse than none.
///
/// Whoever makes the gateway do one of these deletes its line.
package enum NotYetSupported {
    /// Paths of keys, and of values that stand for more than themselves: a name of `*`.
    package static let paths: Set<String> = [
        "clients[].limits.shadow",
        "clients[].model_limits.*.shadow",
        "models[].deployments[].limits.shadow",
    ]

    /// A sentence for the description of a key; empty where the key is supported whole.
    static func remark(on path: String) -> String {
        if self.paths.contains(path) { return " Not supported by this version." }
        let isStarRefused = self.paths.contains(path + "=*") || self.paths.contains(path + ".*=*")
        return isStarRefused ? " \"*\" is not supported by this version." : ""
    }
}
