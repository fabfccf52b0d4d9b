internal import Synchronization

extension TokenPolicy {
    private static let epochs = Atomic<UInt32>(0)

    /// Another one each time.
    static func nextEpoch() -> UInt32 { epochs.wrappingAdd(1, ordering: .relaxed).newValue }

    /// What the configuration says of tokens.
    ///
    /// - Parameter epoch: another one than that of any policy before.
    package convenience init(_ configuration: GatewayConfiguration, epoch: UInt32) {
        self.init(
            tenants: configuration.entra.compactMap { EntraTenant($0) },
            clients: configuration.clients.map { ClientRule($0.entra) },
            epoch: epoch
        )
    }
}

extension EntraTenant {
    /// `nil` only for an id that is none, which the configuration does not let through.
    package init?(_ configuration: GatewayConfiguration.EntraTenant) {
        guard let id = GUID(configuration.tenant) else { return nil }
        self.init(
            id: id,
            audiences: configuration.audiences,
            authority: configuration.authority.map { .other($0.description) }
                ?? .cloud(EntraCloud(configuration.cloud)),
            clockSkew: configuration.clockSkew.components.seconds
        )
    }
}

extension EntraCloud {
    init(_ cloud: GatewayConfiguration.AzureCloud) {
        self =
            switch cloud {
            case .public: .public
            case .usgov: .usGovernment
            case .china: .china
            }
    }
}

extension ClientRule {
    package init(_ configuration: GatewayConfiguration.EntraClient) {
        self.init(
            users: configuration.users.compactMap { GUID($0) },
            applications: configuration.applications.compactMap { GUID($0) },
            roles: configuration.roles,
            groups: configuration.groups.compactMap { GUID($0) }
        )
    }
}

extension FrontDoor {
    package init(_ configuration: GatewayConfiguration.FrontDoor) {
        self.init(ids: configuration.ids.compactMap { GUID($0) })
    }
}
