extension GatewayConfiguration {
    /// Which Front Door profiles requests must come from.
    package struct FrontDoor: Sendable, Equatable {
        /// Values of `X-Azure-FDID`, in lower case; at least one, none twice.
        package var ids: [String]
    }

    /// An Entra ID tenant whose access tokens this gateway validates.
    package struct EntraTenant: Sendable, Equatable {
        /// The tenant's id, in lower case.
        package var tenant: String
        /// Any of them is accepted in the token's `aud`: an application's id, or its `api://` URI. At least one.
        package var audiences: [String]
        /// Default public.
        package var cloud = AzureCloud.public
        /// Serves the tenant's metadata in place of the cloud's host. HTTPS, or plain HTTP on loopback.
        package var authority: EndpointURL?
        /// How far the clocks may be apart. 0s to 5m, default 60s.
        package var clockSkew = Duration.seconds(60)
    }

    package enum AzureCloud: String, Sendable, CaseIterable {
        case `public`, usgov, china
    }

    /// Whose access tokens a client is recognised by: any of these, the first client in file order.
    package struct EntraClient: Sendable, Equatable {
        /// Object ids of users (`oid`), in lower case.
        package var users: [String] = []
        /// Client ids of applications that call for themselves (`azp` or `appid`), in lower case. A user's token is never
        /// recognised by its application.
        package var applications: [String] = []
        /// App roles (`roles`), compared exactly.
        package var roles: [String] = []
        /// Object ids of groups (`groups`), in lower case.
        package var groups: [String] = []

        package var isEmpty: Bool { self == EntraClient() }
    }
}
