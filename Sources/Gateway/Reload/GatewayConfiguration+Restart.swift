extension GatewayConfiguration {
    /// Puts back what a process takes up only when it starts.
    ///
    /// - Parameter running: what the process runs with.
    /// - Returns: keys of the file that say otherwise and need a restart to be heard, such as `coordination`.
    mutating func keepStart(of running: Self) -> [String] {
        var keys: [String] = []
        func keep<Value: Equatable>(_ path: WritableKeyPath<Self, Value>, _ key: String) {
            guard self[keyPath: path] != running[keyPath: path] else { return }
            self[keyPath: path] = running[keyPath: path]
            keys.append(key)
        }
        keep(\.listen, "listen")
        keep(\.admin, "admin")
        keep(\.tls, "tls")
        keep(\.server.threads, "server.threads")
        keep(\.coordination, "coordination")
        let isMocked = running.mock != nil || mock != nil
        keep(\.mock, "mock")
        if isMocked {
            // What a mock answers in place of is not looked at, and its own endpoint is none of the file's.
            endpoints = running.endpoints
            models = running.models
        }
        keep(\.sinks, "usage")
        keep(\.tracing, "tracing")
        keep(\.log, "log")
        return keys
    }
}
