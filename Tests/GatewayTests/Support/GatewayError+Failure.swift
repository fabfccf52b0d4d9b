import Gateway

extension Result where Success: ~Copyable, Failure == GatewayError {
    /// "status code" of a failure, for short expectations.
    var refusal: String? {
        switch self {
        case .failure(let error): "\(error.status) \(error.code)"
        case .success: nil
        }
    }
}
