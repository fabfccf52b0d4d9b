import Testing
import TokenMill

@testable import Gateway

@Suite("A policy from a configuration")
struct TokenPolicyConfigurationTests {
    typealias Known = TokenDraft.Known

    @Test("takes tenants, audiences, clouds and skew over, and the clients in file order")
    func policy() {
        var configuration = GatewayConfiguration()
        var tenant = GatewayConfiguration.EntraTenant(tenant: Known.tenant, audiences: [Known.api])
        tenant.cloud = .usgov
        tenant.clockSkew = .seconds(7)
        var other = GatewayConfiguration.EntraTenant(tenant: Known.otherTenant, audiences: ["a"])
        other.authority = EndpointURL(scheme: .https, host: "login.example", port: 8443)
        configuration.entra = [tenant, other]
        let policy = TokenPolicy(configuration, epoch: 3)
        let audiences = [Known.api]
        #expect(
            policy.tenants == [
                EntraTenant(
                    id: GUID(Known.tenant)!,
                    audiences: audiences,
                    authority: .cloud(.usGovernment),
                    clockSkew: 7
                ),
                EntraTenant(
                    id: GUID(Known.otherTenant)!,
                    audiences: ["a"],
                    authority: .other("https://login.example:8443")
                ),
            ]
        )
        #expect(policy.epoch == 3)
        #expect(policy.tenant(GUID(Known.otherTenant)!) == 1)
    }

    @Test("takes over by what each client is known")
    func rule() {
        let client = GatewayConfiguration.EntraClient(
            users: [Known.user],
            applications: [Known.application],
            roles: [Known.role],
            groups: [Known.group]
        )
        #expect(ClientRule(client) == TokenAcceptanceTests.everyWay)
    }

    @Test("finds a credential's source and audience")
    func credentials() {
        #expect(CredentialSource(.workload, environment: [:]) == nil)
        #expect(
            CredentialSource(.managed(clientID: "c"), environment: [:])
                == .managedIdentity(ManagedIdentity(service: .instanceMetadata, clientID: "c"))
        )
        let hosts: [(GatewayConfiguration.AzureCloud, String)] = [
            (.public, "https://login.microsoftonline.com"), (.usgov, "https://login.microsoftonline.us"),
            (.china, "https://login.partner.microsoftonline.cn"),
        ]
        for (cloud, host) in hosts {
            var application = GatewayConfiguration.ApplicationSecret(
                tenant: "t",
                clientID: "c",
                secret: Secret("s"),
                cloud: cloud
            )
            var secret = ClientSecret(authority: host, tenant: "t", clientID: "c", secret: Secret("s"))
            #expect(CredentialSource(.application(application), environment: [:]) == .clientSecret(secret))
            application.authority = EndpointURL(scheme: .https, host: "login.example", port: 8443)
            secret.authority = "https://login.example:8443"
            #expect(CredentialSource(.application(application), environment: [:]) == .clientSecret(secret))
        }
        #expect(CredentialSource.audience(ofHost: "x.openai.azure.com") == "https://cognitiveservices.azure.com")
        #expect(CredentialSource.audience(ofHost: "x.openai.azure.us") == "https://cognitiveservices.azure.us")
        #expect(CredentialSource.audience(ofHost: "x.openai.azure.cn") == "https://cognitiveservices.azure.cn")
        #expect(CredentialSource.audience(ofHost: "azure.us.example") == "https://cognitiveservices.azure.com")
    }

    @Test("tells an application with a new secret from another application")
    func identity() {
        let secret = ClientSecret(authority: "https://a", tenant: "t", clientID: "c", secret: Secret("old"))
        func settings(_ change: (inout ClientSecret) -> Void, resource: String = "r") -> CredentialKeeper.Settings {
            var secret = secret
            change(&secret)
            return CredentialKeeper.Settings(source: .clientSecret(secret), resource: resource)
        }
        let old = settings { _ in }
        #expect(settings { $0.secret = Secret("new") }.isSameIdentity(as: old))
        #expect(settings { $0.secret = Secret("new") } != old)
        #expect(!settings { $0.clientID = "d" }.isSameIdentity(as: old))
        #expect(!settings { $0.tenant = "u" }.isSameIdentity(as: old))
        #expect(!settings { $0.authority = "https://b" }.isSameIdentity(as: old))
        #expect(!settings({ _ in }, resource: "s").isSameIdentity(as: old))
        let managed = CredentialKeeper.Settings(
            source: .managedIdentity(ManagedIdentity(service: .instanceMetadata)),
            resource: "r"
        )
        #expect(managed.isSameIdentity(as: managed))
        #expect(!managed.isSameIdentity(as: old))
    }
}
