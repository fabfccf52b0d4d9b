import Gateway

extension Result where Failure == GatewayError {
    /// "status code" of a failure, for short expectations.
    var refusal: String? {
        if case .failure(let error) = self { "\(error.status) \(error.code)" } else { nil }
    }
}
