import Testing

@testable import Gateway

@Suite("A request for an upstream token")
struct TokenRequestTests {
    static let resource = "https://cognitiveservices.azure.com"

    @Test("to instance metadata is Azure's, and says that it is no accident")
    func instanceMetadata() {
        let request = TokenRequest.managedIdentity(
            ManagedIdentity(service: .instanceMetadata, clientID: "id 1"),
            resource: Self.resource
        )
        #expect(
            request
                == TokenRequest(
                    method: "GET",
                    base: "http://169.254.169.254",
                    target: "/metadata/identity/oauth2/token?api-version=2018-02-01"
                        + "&resource=https%3A%2F%2Fcognitiveservices.azure.com&client_id=id%201",
                    headers: [("Metadata", "true")],
                    form: nil
                )
        )
    }

    @Test("to App Service or Container Apps shows the header that these gave")
    func platform() {
        let environment = ["IDENTITY_ENDPOINT": "http://localhost:42356/msi/token", "IDENTITY_HEADER": "h"]
        let request = TokenRequest.managedIdentity(ManagedIdentity(environment: environment), resource: Self.resource)
        #expect(
            request
                == TokenRequest(
                    method: "GET",
                    base: "http://localhost:42356",
                    target: "/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fcognitiveservices.azure.com",
                    headers: [("X-IDENTITY-HEADER", "h")],
                    form: nil
                )
        )
        let odd = ManagedIdentity(service: .platform(endpoint: "nonsense", header: Secret("h")))
        #expect(TokenRequest.managedIdentity(odd, resource: Self.resource) == nil)
        #expect(ManagedIdentity(environment: ["IDENTITY_ENDPOINT": "x"]).service == .instanceMetadata)
    }

    @Test("of a workload exchanges its file's token")
    func workload() throws {
        let environment = [
            "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.com/", "AZURE_TENANT_ID": "t",
            "AZURE_CLIENT_ID": "c",
            "AZURE_FEDERATED_TOKEN_FILE": "/var/run/token",
        ]
        let identity = try #require(WorkloadIdentity(environment: environment))
        let request = TokenRequest.workloadIdentity(identity, resource: Self.resource, assertion: "a.b-c_d+e")
        #expect(request.base == "https://login.microsoftonline.com")
        #expect(request.target == "/t/oauth2/v2.0/token")
        #expect(
            request.form == "client_id=c&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default"
                + "&grant_type=client_credentials"
                + "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
                + "&client_assertion=a.b-c_d%2Be"
        )
        for name in environment.keys {
            #expect(WorkloadIdentity(environment: environment.filter { $0.key != name }) == nil)
        }
    }

    @Test("with a secret sends it in the body, escaped")
    func secret() {
        let secret = ClientSecret(
            authority: "https://login.example",
            tenant: "t",
            clientID: "c",
            secret: Secret("a&b=c d")
        )
        let request = TokenRequest.clientSecret(secret, resource: Self.resource + "/")
        #expect(request.method == "POST")
        #expect(request.form?.hasSuffix("&client_secret=a%26b%3Dc%20d") == true)
        #expect(request.form?.contains("azure.com%2F.default") == true)
        #expect(!request.target.contains("a%26b"))
    }

    @Test(
        "is answered with a token and its time, as numbers or as text",
        arguments: [
            "{\"access_token\":\"t\",\"expires_in\":3600,\"token_type\":\"Bearer\"}",
            "{\"access_token\":\"t\",\"expires_in\":\"3600\",\"expires_on\":\"5000\",\"not_before\":\"1\",\"token_type\":\"bearer\"}",
            "{\"access_token\":\"t\",\"expires_on\":\"4600\",\"resource\":\"r\",\"client_id\":\"c\"}",
            "{\"access_token\":\"t\",\"expires_on\":4600}",
            "{\"access_token\":\"t\",\"expires_in\":\"\",\"expires_on\":4600}",
        ]
    )
    func answer(json: String) throws {
        let token = try AccessToken(Array(json.utf8), now: 1000)
        #expect(token.authorization == "Bearer t")
        #expect(token.lifetime == 3600)
    }

    @Test(
        "is not answered by anything else",
        arguments: [
            "", "{}", "[]", "<html>", "{\"access_token\":\"t\"}", "{\"expires_in\":3600}",
            "{\"access_token\":\"\",\"expires_in\":3600}", "{\"access_token\":\"a b\",\"expires_in\":3600}",
            "{\"access_token\":\"a\\r\\nX: y\",\"expires_in\":3600}", "{\"access_token\":\"t\",\"expires_in\":0}",
            "{\"access_token\":\"t\",\"expires_in\":-1}", "{\"access_token\":\"t\",\"expires_in\":3600.5}",
            "{\"access_token\":\"t\",\"expires_on\":999}",
            "{\"access_token\":\"t\",\"expires_in\":3600,\"token_type\":\"pop\"}",
            "{\"access_token\":1,\"expires_in\":3600}",
            "{\"access_token\":\"t\",\"access_token\":\"u\",\"expires_in\":3600}",
            "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215\"}",
        ]
    )
    func noAnswer(json: String) {
        #expect(throws: CredentialFailure.malformed) { try AccessToken(Array(json.utf8), now: 1000) }
    }

    @Test("takes no token for longer than a week, and none above 16 KiB")
    func bounds() throws {
        let long = "{\"access_token\":\"t\",\"expires_in\":99999999}"
        #expect(try AccessToken(Array(long.utf8), now: 0).lifetime == 604_800)
        let large = "{\"access_token\":\"\(String(repeating: "t", count: 16_385))\",\"expires_in\":3600}"
        #expect(throws: CredentialFailure.malformed) { try AccessToken(Array(large.utf8), now: 0) }
    }
}
