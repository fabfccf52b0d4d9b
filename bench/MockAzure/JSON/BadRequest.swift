/// What a client's bytes did wrong, as one sentence for the 400 that answers them.
///
/// The only error of the request path: whatever a peer sends ends in this value, never in a trap.
struct BadRequest: Error {
    let message: String
    /// Azure's name for it.
    var code = "BadRequest"
    /// The parameter that is wrong.
    var param: String?

    init(_ message: String, code: String = "BadRequest", param: String? = nil) {
        self.message = message
        self.code = code
        self.param = param
    }

    static func json(_ reason: String, at offset: Int) -> BadRequest {
        BadRequest("We could not parse the JSON body of your request: \(reason) at byte \(offset).")
    }

    /// An array with more elements than azure.md 5.5 allows.
    static func tooMany(_ count: Int, _ name: String, maximum: Int) -> BadRequest {
        BadRequest(
            """
            Invalid '\(name)': array too long. Expected an array with maximum length \(maximum), but got an array with \
            length \(count) instead.
            """,
            code: "array_above_max_length",
            param: name
        )
    }
}
