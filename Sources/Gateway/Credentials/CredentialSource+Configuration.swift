extension CredentialSource {
    /// Where an identity of the configuration gets its tokens; `nil` when the environment lacks what a workload identity needs.
    ///
    /// - Parameter environment: the process's, in which the platforms say where their token services are.
    package init?(_ identity: GatewayConfiguration.AzureIdentity, environment: [String: String]) {
        switch identity {
        case .managed(let clientID):
            self = .managedIdentity(ManagedIdentity(environment: environment, clientID: clientID))
        case .workload:
            guard let workload = WorkloadIdentity(environment: environment) else { return nil }
            self = .workloadIdentity(workload)
        case .application(let application):
            self = .clientSecret(
                ClientSecret(
                    authority: application.authority?.description ?? EntraCloud(application.cloud).base,
                    tenant: application.tenant,
                    clientID: application.clientID,
                    secret: application.secret
                )
            )
        }
    }

    /// The audience of Azure OpenAI in the cloud that a host is in.
    package static func audience(ofHost host: String) -> String {
        for (suffix, audience) in [
            (".azure.us", "https://cognitiveservices.azure.us"), (".azure.cn", "https://cognitiveservices.azure.cn"),
        ] where host.hasSuffix(suffix) {
            return audience
        }
        return "https://cognitiveservices.azure.com"
    }
}
