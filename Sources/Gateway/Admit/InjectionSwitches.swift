internal import Coordination

/// Which deployments' streams are asked for their usage: all but those that have refused to say.
///
/// Models and API versions that do not know `stream_options` answer 400 and name it (azure.md 5.7). The client did not send
/// it and cannot mend it, so the request is sent again without; later ones go without at once, and are estimated.
struct InjectionSwitches {
    private var off: Set<DeploymentID> = []
    /// More come only from models that the configuration does not list; then all are on again, and learn anew.
    private static let most = 1024
    /// Bytes of a refusal that are looked at.
    static let mostBytes = 16 * 1024

    func isOn(_ deployment: DeploymentID) -> Bool { off.isEmpty || !off.contains(deployment) }

    /// Judges the answer to a request that the gateway put `stream_options` into; true if it was refused for that.
    mutating func answered(status: Int, body: UnsafeRawBufferPointer, by deployment: DeploymentID) -> Bool {
        guard status == 400 || status == 422 else { return false }
        let body = UnsafeRawBufferPointer(rebasing: body.prefix(Self.mostBytes))
        guard body.holds("stream_options") || body.holds("include_usage") else { return false }
        if off.count >= Self.most { off.removeAll() }
        off.insert(deployment)
        return true
    }
}
