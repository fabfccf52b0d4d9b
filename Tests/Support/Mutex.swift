internal import NIOConcurrencyHelpers

/// A lock around a value, in the place of the standard library's: that one is a bare futex, which the thread sanitizer
/// does not see, so it would take every use for a race.
package final class Mutex<Value>: @unchecked Sendable {  // `value` is touched under `lock` alone
    private let lock = NIOLock()
    private var value: Value

    package init(_ value: Value) { self.value = value }

    package func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        try lock.withLock { try body(&value) }
    }
}
