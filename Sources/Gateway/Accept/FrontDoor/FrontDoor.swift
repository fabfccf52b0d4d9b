package import NIOHTTP1

/// Whether a request came through the operator's own Azure Front Door, and what may be believed of it then. Pure.
///
/// The address range of Front Door is shared by all of Azure's customers, so only the id of the profile, which Front Door puts into
/// `X-Azure-FDID` itself, tells the operator's from everybody's (Microsoft, "Secure traffic to Azure Front Door origins").
package struct FrontDoor: Sendable {
    /// What Front Door says of a request.
    package struct Origin: Equatable, Sendable {
        /// The peer of Front Door (`X-Azure-SocketIP`): the client, or a proxy of its own. `X-Azure-ClientIP` and
        /// `X-Forwarded-For` may hold what the client wrote.
        package var address: CallerAddress?
        /// Front Door's name of the request (`X-Azure-Ref`), which its support asks for; visible ASCII, cut at 128 bytes.
        package var reference: String?
    }

    package enum Verdict: Equatable {
        case passed(Origin)
        /// A probe of the platform, which comes past Front Door. Nothing that it says is believed.
        case probe
        case refused(GatewayError)
    }

    /// Bytes of a reference that are kept.
    static let maxReference = 128

    private let ids: [GUID]

    /// - Parameter ids: of one profile or several, as during a change from one to another; at least one.
    package init(ids: [GUID]) { self.ids = ids }

    /// - Parameter isHealthPath: whether the request is for a path that the platform probes.
    package func judge(_ headers: HTTPHeaders, isHealthPath: Bool) -> Verdict {
        if isHealthPath { return .probe }
        var presented: GUID?
        var count = 0
        var origin = Origin()
        var addresses = 0
        for (name, value) in headers {
            switch name.utf8.count {
            case 11 where name.isSame("x-azure-ref"):
                origin.reference = origin.reference ?? Self.reference(value)
            case 12 where name.isSame("x-azure-fdid"):
                count += 1
                presented = GUID(value)
            case 16 where name.isSame("x-azure-socketip"):
                addresses += 1
                origin.address = CallerAddress(value.trimmed)
            default:
                break
            }
        }
        // Front Door replaces what a client sends: two are a sign that somebody else put one in.
        guard count == 1, let presented, isOwn(presented) else { return .refused(.notThroughFrontDoor) }
        if addresses > 1 { origin.address = nil }
        return .passed(origin)
    }

    /// Compares with every id, in a time that does not depend on them.
    private func isOwn(_ presented: GUID) -> Bool {
        var isOwn = false
        for id in ids where id.isSame(as: presented) { isOwn = true }
        return isOwn
    }

    private static func reference(_ value: String) -> String? {
        let visible = value.utf8.prefix(maxReference).prefix { $0 > 0x20 && $0 < 0x7F }
        return visible.isEmpty ? nil : String(Substring(visible))
    }
}

extension GatewayError {
    /// Says nothing of what was missing.
    static let notThroughFrontDoor = Self(
        403,
        "Forbidden",
        "This address does not take requests directly.",
        source: .downstream,
        reason: "not_through_front_door"
    )
}
