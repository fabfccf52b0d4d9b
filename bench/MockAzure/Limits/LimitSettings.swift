/// What a deployment may be limited by, as the command line and `/mock/limits` say it: `KEY=VALUE` with the same keys.
struct LimitSettings: Equatable {
    enum Key: String, CaseIterable {
        /// Estimated tokens per minute.
        case tpm
        /// What is left of `tpm` while Azure's pool is under pressure.
        case effectiveTPM = "effective-tpm"
        case rpm
        /// Seconds over which requests are judged: 1 or 10.
        case rpmWindow = "rpm-window"
        /// Tokens per minute of a provisioned deployment.
        case provisioned
        /// The deployment that takes over what a provisioned one cannot answer.
        case spillover
    }

    private static let largest = 1_000_000_000

    var tokensPerMinute: Int?
    var effectiveTokensPerMinute: Int?
    var requestsPerMinute: Int?
    /// Milliseconds.
    var requestWindow: Int?
    var provisioned: Int?
    var spillover: String?

    /// Sets one of them; `nil` takes it away.
    mutating func set(_ key: Key, to text: String?) throws(BadRequest) {
        switch key {
        case .tpm: self.tokensPerMinute = try Self.integer(key, text, from: 0)
        case .effectiveTPM: self.effectiveTokensPerMinute = try Self.integer(key, text, from: 0)
        case .rpm: self.requestsPerMinute = try Self.integer(key, text, from: 0)
        case .rpmWindow: self.requestWindow = try Self.window(text)
        case .provisioned: self.provisioned = try Self.integer(key, text, from: 1)
        case .spillover:
            if text == "" { throw BadRequest("spillover needs the name of a deployment") }
            self.spillover = text
        }
    }

    /// Whether the settings make sense together.
    func check() throws(BadRequest) {
        if self.provisioned != nil, self.tokensPerMinute != nil || self.requestsPerMinute != nil {
            throw BadRequest("a provisioned deployment has no tpm and no rpm")
        }
        if self.spillover != nil, self.provisioned == nil {
            throw BadRequest("only a provisioned deployment can have a spillover")
        }
        if self.requestWindow != nil, self.requestsPerMinute == nil { throw BadRequest("rpm-window needs rpm") }
        if let effective = self.effectiveTokensPerMinute {
            guard let tpm = self.tokensPerMinute else { throw BadRequest("effective-tpm needs tpm") }
            if effective > tpm { throw BadRequest("effective-tpm cannot be more than tpm") }
        }
    }

    private static func integer(_ key: Key, _ text: String?, from least: Int) throws(BadRequest) -> Int? {
        guard let text else { return nil }
        guard let value = Int(text), (least...Self.largest).contains(value) else {
            throw BadRequest("\(key.rawValue) is an integer from \(least) to \(Self.largest), not '\(text)'")
        }
        return value
    }

    private static func window(_ text: String?) throws(BadRequest) -> Int? {
        switch text {
        case nil: nil
        case "1": 1_000
        case "10": 10_000
        case let text?: throw BadRequest("rpm-window is 1 or 10 seconds, not '\(text)'")
        }
    }
}
