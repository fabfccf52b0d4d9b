package import NIOCore

/// Counts failed authentications by address, and says when one has had too many. Pure, and bounded however many addresses come.
///
/// It slows down who guesses keys or tries out tokens; who has a good key at the same address is refused as well, for the rest
/// of the minute, which is why the limit is high. One for each event loop: what a caller may try is that times their number.
package struct AuthenticationFailures {
    package struct Limit: Sendable, Equatable {
        /// Failures of one address within `window`.
        package var count: Int
        package var window: TimeAmount

        package init(count: Int = 100, window: TimeAmount = .minutes(1)) {
            self.count = count
            self.window = window
        }
    }

    private struct Record {
        var start: NIODeadline
        var count: Int
    }

    /// Addresses that are remembered. Beyond them, those with the fewest failures are forgotten.
    package static let maxAddresses = 8192

    private let limit: Limit
    private var table = BoundedTable<CallerAddress, Record>(capacity: maxAddresses)

    package init(limit: Limit = Limit()) { self.limit = limit }

    package var addressCount: Int { table.count }

    /// Before a request is authenticated: the error to answer, if its address has failed too often.
    package mutating func refusal(of address: CallerAddress, now: NIODeadline) -> GatewayError? {
        let limit = limit
        let left = table.withValue(of: address, hash: address.hashValue) { record in
            let end = record.start + limit.window
            guard now < end else { return (TimeAmount.zero, keep: false) }
            return (record.count >= limit.count ? end - now : .zero, keep: true)
        }
        guard let left, left > .zero else { return nil }
        return .tooManyFailures(retryAfterSeconds: Int((left.nanoseconds + 999_999_999) / 1_000_000_000))
    }

    /// A request of that address failed to authenticate.
    package mutating func failed(_ address: CallerAddress, now: NIODeadline) {
        let window = limit.window
        let isKnown = table.withValue(of: address, hash: address.hashValue) { record in
            if now >= record.start + window { record = Record(start: now, count: 0) }
            record.count += 1
            return (true, keep: true)
        }
        guard isKnown == nil else { return }
        table.set(address, hash: address.hashValue, to: Record(start: now, count: 1)) { record in
            now >= record.start + window ? 0 : Int64(record.count)
        }
    }
}
