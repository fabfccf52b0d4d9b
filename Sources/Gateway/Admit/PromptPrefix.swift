internal import Coordination

/// The beginning of a prompt as a number, so that requests with the same one prefer the same deployment: Azure caches prompts
/// that begin alike, at the deployment that has seen them. No state; every replica comes to the same number.
struct PromptPrefix: Equatable, Sendable {
    let hash: UInt64

    /// Bytes of a request that begin the prompt: about the 1,024 tokens below which Azure caches nothing.
    static let length = 4096

    /// - Parameter body: of the request.
    /// - Returns: `nil` for a prompt too short to be cached.
    init?(_ body: UnsafeRawBufferPointer, client: String) {
        guard body.count >= Self.length, let start = Self.start(of: body), body.count - start >= Self.length else {
            return nil
        }
        var hash = Self.hash(client.utf8)
        hash = Self.hash(body[start..<start + Self.length], from: hash)
        self.hash = hash
    }

    /// A number above 0 and below 1 for one of the deployments, the same for the same prefix.
    func draw(_ deployment: DeploymentID) -> Double {
        // The finalizer of SplitMix64 (G. Steele et al., 2014), as FNV leaves the high bits alike.
        var value = Self.hash(deployment.name.utf8, from: hash)
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        value ^= value >> 31
        return (Double(value >> 11) + 0.5) / Double(1 << 53 as UInt64)
    }

    /// Where the prompt begins, behind numbers such as `max_tokens` that say nothing about it.
    private static func start(of body: UnsafeRawBufferPointer) -> Int? {
        for name in ["\"messages\"", "\"input\"", "\"prompt\""] as [StaticString] {
            if let offset = body.offset(of: name) { return offset }
        }
        return nil
    }

    /// FNV-1a.
    private static func hash(_ bytes: some Sequence<UInt8>, from start: UInt64 = 0xCBF2_9CE4_8422_2325) -> UInt64 {
        var hash = start
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return hash
    }
}
