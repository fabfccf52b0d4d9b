import Testing

@testable import Gateway

@Suite("A secret")
struct ConfigurationSecretTests {
    @Test("shows itself only when it is asked to")
    func reveals() {
        #expect(Secret("topsecretkey").reveal() == "topsecretkey")
        #expect(Secret("topsecretkey") == Secret("topsecretkey"))
        #expect(Secret("topsecretkey") != Secret("another"))
    }

    @Test("is hidden in descriptions, dumps and mirrors, also inside other values")
    func isHidden() throws {
        let secret = Secret("topsecretkey")
        #expect("\(secret)" == "[secret]")
        #expect(String(reflecting: secret) == "[secret]")
        #expect(Mirror(reflecting: secret).children.isEmpty)

        let text = completedConfiguration(
            """
            clients: [{name: a, api_keys: [topsecretkey, "${KEY}"]}]
            endpoints:
              - {name: e, url: "https://h", api_key: topsecretkey}
              - name: f
                url: https://h
                client_secret: {tenant: 00000000-0000-0000-0000-000000000000, client_id: \
            00000000-0000-0000-0000-000000000000, secret: topsecretkey}
            """
        )
        let configuration = try parseConfiguration(text).get()
        var dumped = ""
        dump(configuration, to: &dumped)
        for shown in ["\(configuration)", String(reflecting: configuration), dumped, configuration.summary()] {
            #expect(!shown.contains("topsecretkey"))
            #expect(!shown.contains("from-the-environment"))
        }
        #expect(dumped.contains("[secret]"))
    }
}
