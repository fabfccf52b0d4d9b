import NIOCore

/// A condition that did not come true in time; the text says which one.
struct TimedOut: Error, CustomStringConvertible {
    let description: String
}

/// Waits until the condition holds. Looks often and gives up after `seconds`, so that no test waits longer than it must.
func eventually(_ what: String, within seconds: Int64 = 10, _ condition: () async throws -> Bool) async throws {
    let deadline = NIODeadline.now() + .seconds(seconds)
    while try await !condition() {
        guard NIODeadline.now() < deadline else { throw TimedOut(description: "not within \(seconds) s: \(what)") }
        try await Task.sleep(for: .milliseconds(1))
    }
}
