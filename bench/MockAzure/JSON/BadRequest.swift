/// What a client's bytes did wrong, as one sentence for the 400 that answers them.
///
/// The only error of the request path: whatever a peer sends ends in this value, never in a trap.
struct BadRequest: Error {
    let message: String

    init(_ message: String) {
        self.message = message
    }

    static func json(_ reason: String, at offset: Int) -> BadRequest {
        BadRequest("We could not parse the JSON body of your request: \(reason) at byte \(offset).")
    }
}
