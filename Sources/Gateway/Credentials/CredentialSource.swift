/// Where the credentials of an endpoint come from.
package enum CredentialSource: Sendable, Equatable {
    /// A key that is sent as it is.
    case apiKey(Secret)
    case managedIdentity(ManagedIdentity)
    case workloadIdentity(WorkloadIdentity)
    case clientSecret(ClientSecret)
}

/// An identity that Azure gives to where the gateway runs, by one of two services (Azure's "managed identities").
package struct ManagedIdentity: Sendable, Equatable {
    package enum Service: Sendable, Equatable {
        /// Instance metadata of virtual machines, scale sets and AKS nodes.
        case instanceMetadata
        /// App Service and Container Apps: its URL and the secret that it wants to see (`IDENTITY_ENDPOINT`, `IDENTITY_HEADER`).
        case platform(endpoint: String, header: Secret)
    }

    package var service: Service
    /// Which of several user-assigned identities; `nil` for the system's own.
    package var clientID: String?

    /// Where instance metadata is, on every machine of Azure.
    package static let instanceMetadataBase = "http://169.254.169.254"

    package init(service: Service, clientID: String? = nil) {
        self.service = service
        self.clientID = clientID
    }

    /// The service that the process's environment names.
    package init(environment: [String: String], clientID: String? = nil) {
        if let endpoint = environment["IDENTITY_ENDPOINT"], let header = environment["IDENTITY_HEADER"] {
            service = .platform(endpoint: endpoint, header: Secret(header))
        } else {
            service = .instanceMetadata
        }
        self.clientID = clientID
    }
}

/// A Kubernetes service account that Entra ID trusts: its token, a file that Kubernetes keeps rewriting, is exchanged.
package struct WorkloadIdentity: Sendable, Equatable {
    /// Scheme and host of Entra ID, without a slash at the end.
    package var authority: String
    package var tenant: String
    package var clientID: String
    package var tokenFile: String

    package init(authority: String, tenant: String, clientID: String, tokenFile: String) {
        self.authority = authority
        self.tenant = tenant
        self.clientID = clientID
        self.tokenFile = tokenFile
    }

    /// What AKS puts into a pod's environment; `nil` unless all of it is there.
    package init?(environment: [String: String], clientID: String? = nil) {
        guard let authority = environment["AZURE_AUTHORITY_HOST"], let tenant = environment["AZURE_TENANT_ID"],
            let clientID = clientID ?? environment["AZURE_CLIENT_ID"],
            let tokenFile = environment["AZURE_FEDERATED_TOKEN_FILE"]
        else { return nil }
        self.init(
            authority: authority.hasSuffix("/") ? String(authority.dropLast()) : authority,
            tenant: tenant,
            clientID: clientID,
            tokenFile: tokenFile
        )
    }
}

/// An application's own secret.
package struct ClientSecret: Sendable, Equatable {
    /// Scheme and host of Entra ID, without a slash at the end.
    package var authority: String
    package var tenant: String
    package var clientID: String
    package var secret: Secret

    package init(authority: String, tenant: String, clientID: String, secret: Secret) {
        self.authority = authority
        self.tenant = tenant
        self.clientID = clientID
        self.secret = secret
    }
}
