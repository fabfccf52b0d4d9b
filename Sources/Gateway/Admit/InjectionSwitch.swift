internal import Coordination

/// Whether a deployment's streams are asked for their usage; off once it has refused to say.
///
/// Models and API versions that do not know `stream_options` answer 400 and name it (azure.md 5.7). The client did not send
/// it and cannot mend it, so the request is sent again without; later ones go without at once, and are estimated.
struct InjectionSwitch: Equatable {
    private(set) var isOn: Bool

    /// Bytes of a refusal that are looked at.
    static let mostBytes = 16 * 1024

    init(isOn: Bool = true) { self.isOn = isOn }

    /// Judges the answer to a request that the gateway put `stream_options` into; true if it was refused for that.
    mutating func answered(status: Int, body: UnsafeRawBufferPointer) -> Bool {
        guard Self.isRefusal(status: status, body: body) else { return false }
        isOn = false
        return true
    }

    static func isRefusal(status: Int, body: UnsafeRawBufferPointer) -> Bool {
        guard status == 400 || status == 422 else { return false }
        let body = UnsafeRawBufferPointer(rebasing: body.prefix(mostBytes))
        return body.holds("stream_options") || body.holds("include_usage")
    }
}

/// The switches of the deployments, as one event loop knows them. Only those that are off are remembered.
struct InjectionSwitches {
    private var off: Set<DeploymentID> = []
    /// More come only from models that the configuration does not list; then all are on again, and learn anew.
    private static let most = 1024

    func isOn(_ deployment: DeploymentID) -> Bool { off.isEmpty || !off.contains(deployment) }

    /// As `InjectionSwitch.answered`.
    mutating func answered(status: Int, body: UnsafeRawBufferPointer, by deployment: DeploymentID) -> Bool {
        guard InjectionSwitch.isRefusal(status: status, body: body) else { return false }
        if off.count >= Self.most { off.removeAll() }
        off.insert(deployment)
        return true
    }
}
