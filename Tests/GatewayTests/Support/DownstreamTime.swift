import NIOCore

@testable import Gateway

/// Times of the downstream tests, in seconds of a clock that nobody but the test moves.
enum DownstreamTime {
    static let timeouts = DownstreamStateMachine.Timeouts(
        idle: .seconds(120),
        head: .seconds(15),
        discard: .seconds(5),
        linger: .seconds(2)
    )

    static func at(_ second: Int) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(Int64(second)) }
}
