internal import NIOCore

/// How long keys count and when they are fetched anew.
struct KeyRingTimes: Sendable {
    /// From when they were fetched.
    var lifetime = TimeAmount.hours(24)
    var refresh = TimeAmount.hours(1)
    /// Keys that another replica fetched so lately need not be fetched again.
    var sharedAge = TimeAmount.minutes(30)
    /// A key that is not there causes a fetch no sooner than this after the last.
    var unknownKeyInterval = TimeAmount.minutes(5)
    /// The same key id, or the same caller, causes one no sooner than this after it last did.
    var repeatInterval = TimeAmount.minutes(15)
    var retry = RetryDelay(first: .seconds(5), longest: .minutes(5))

    /// Microsoft's own advice, as far as it gives one ("Signing key rollover in the Microsoft identity platform"): 24 hours, one
    /// hour, five minutes.
    static let advised = KeyRingTimes()
}
