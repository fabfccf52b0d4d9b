package import NIOCore

/// One request as libcurl shall send it.
package struct TransferRequest {
    package enum Body {
        case none
        /// The whole body, in memory, sent with its length; it can be sent again.
        case memory(BodyStorage)
        /// The body as it comes, asked for by `TransferObserver.transferWantsBody`; without a length it is sent in chunks.
        case stream(length: Int?)
    }

    /// An RFC 9110 token.
    package var method: String
    /// Path and query as they go on the wire, starting with "/".
    package var target: String
    package var headers: HeaderArena
    package var body: Body

    package init(method: String, target: String, headers: HeaderArena, body: Body) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
    }
}

/// What learns of a transfer's progress. All calls come on the transfer's event loop.
///
/// The first three come from inside libcurl: `cancel` and `resume` are allowed there and take effect when libcurl returns.
package protocol TransferObserver: AnyObject {
    /// The head of the final response stands in `transfer.head`.
    func transferReceivedHead(_ transfer: Transfer)

    /// Bytes of the response body, which die with the call. Not taken means: not now. The transfer is paused, and the same
    /// bytes come again after `Transfer.resumeReceiving`.
    func transferReceived(_ transfer: Transfer, body: UnsafeRawBufferPointer) -> BodyDisposition

    /// Room for more bytes of a streamed request body.
    func transferWantsBody(_ transfer: Transfer, into room: UnsafeMutableRawBufferPointer) -> BodySupply

    /// libcurl has handed over all that it had for now: the time to flush. With `isOver`, `transferEnded` follows.
    func transferTurnEnded(_ transfer: Transfer)

    /// The last call. `nil`: the response is complete.
    func transferEnded(_ transfer: Transfer, error: TransferError?)
}

package enum BodyDisposition {
    case taken
    case pause
}

package enum BodySupply: Equatable {
    case bytes(Int)
    /// Nothing yet; `Transfer.resumeSending` continues.
    case pause
    case end
}

/// How long a transfer may take, each limit for itself; `.hours(24 * 365)` and the like for none.
package struct TransferTimeouts: Sendable, Equatable {
    /// Name resolution, TCP and TLS together.
    package var connect: TimeAmount
    /// From the end of the wait for a connection, or the last byte of a streamed request body, to the first byte of the
    /// response.
    package var firstByte: TimeAmount
    /// Between two reads of the response.
    package var idle: TimeAmount
    /// The whole transfer, the wait for a connection included.
    package var total: TimeAmount

    package init(connect: TimeAmount, firstByte: TimeAmount, idle: TimeAmount, total: TimeAmount) {
        self.connect = connect
        self.firstByte = firstByte
        self.idle = idle
        self.total = total
    }
}
