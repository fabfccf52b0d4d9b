import Testing

@testable import Gateway

@Suite("A client's credentials")
struct ClientDirectoryTests {
    private static let hashed = "hashed-key-of-beta"

    private static let directory = ClientDirectory(configured, numbers: Roster.Numbers(configured.map(\.name)))

    private static let configured: [GatewayConfiguration.Client] = [
        .init(
            name: "alpha",
            apiKeys: [.plain(Secret("alpha-key-old")), .plain(Secret("alpha-key-new"))],
            models: .all
        ),
        .init(
            name: "beta",
            apiKeys: [.sha256(KeyHasher().digest(of: hashed).bytes)],
            models: .only(["gpt-4o", "mini"])
        ),
        .init(name: "gamma", apiKeys: [.plain(Secret("alpha-key-old"))], models: .all),
        .init(name: "broken", apiKeys: [.sha256([1, 2, 3])], models: .all),
    ]

    private func client(_ apiKey: String?, _ authorization: String?) -> String {
        switch Self.directory.client(apiKey: apiKey, authorization: authorization, hasher: KeyHasher()) {
        case .success(let client): client.name
        case .failure(.unknownKey), .failure(.noCredentials): "unknown"
        case .failure(.differingKeys): "differing"
        case .failure(let error): "\(error)"
        }
    }

    @Test("come as api-key, plain or hashed in the configuration")
    func apiKey() {
        #expect(client("alpha-key-old", nil) == "alpha")
        #expect(client(Self.hashed, nil) == "beta")
    }

    @Test("stay valid in pairs, so that keys can be rotated")
    func rotation() {
        #expect(client("alpha-key-old", nil) == "alpha")
        #expect(client("alpha-key-new", nil) == "alpha")
        #expect(client(nil, "Bearer alpha-key-new") == "alpha")
    }

    @Test(
        "come as Bearer in any case of letters",
        arguments: [
            "Bearer \(hashed)", "bearer \(hashed)", "BEARER \(hashed)", "bEaReR    \(hashed)", "Bearer \(hashed) \t",
        ]
    )
    func bearer(authorization: String) {
        #expect(client(nil, authorization) == "beta")
        #expect(client(Self.hashed, authorization) == "beta")
    }

    @Test("come in both ways when they are the same, known or not")
    func both() {
        #expect(client("alpha-key-old", "Bearer alpha-key-old") == "alpha")
        #expect(client("nobody", "Bearer nobody") == "unknown")
    }

    @Test("do not come in two ways that differ, not even as two keys of one client")
    func differing() {
        #expect(client("alpha-key-old", "Bearer alpha-key-new") == "differing")
        #expect(client("alpha-key-old", "Bearer nobody") == "differing")
        #expect(client("nobody", "Bearer alpha-key-old") == "differing")
    }

    @Test("are needed")
    func none() {
        #expect(client(nil, nil) == "unknown")
        #expect(client("", nil) == "unknown")
        #expect(client("", "") == "unknown")
    }

    @Test(
        "are not taken from anything else",
        arguments: [
            "", "Bearer", "Bearer ", "Bearer  \t ", "alpha-key-old", "Basic alpha-key-old", "Bearer\talpha-key-old",
            "Beareralpha-key-old", " Bearer alpha-key-old", "Bearer alpha-key-old x", "Bearer Bearer alpha-key-old",
            "Bearer \"alpha-key-old\"", "Token alpha-key-old", "Bearer: alpha-key-old",
        ]
    )
    func malformed(authorization: String) {
        #expect(client(nil, authorization) == "unknown")
    }

    @Test("are not made good by a valid key beside a malformed one")
    func malformedBesideValid() {
        #expect(client("alpha-key-old", "Basic YQ==") == "unknown")
        #expect(client("alpha-key-old", "") == "unknown")
    }

    @Test(
        "are compared whole and to the letter",
        arguments: ["Alpha-key-old", "alpha-key-ol", "alpha-key-old ", "alpha-key-old\u{0}"]
    )
    func nearMisses(key: String) {
        #expect(client(key, nil) == "unknown")
    }

    @Test("are no digest of a key: knowing what is stored opens nothing")
    func digestAsKey() {
        let digest = KeyHasher().digest(of: Self.hashed).bytes
        let hex = digest.map { String($0 >> 4, radix: 16) + String($0 & 0xF, radix: 16) }.joined()
        #expect(client(hex, nil) == "unknown")
        #expect(client("sha256:\(hex)", nil) == "unknown")
    }

    @Test("name the client with its place in the configuration and its models")
    func models() throws {
        let alpha = try Self.directory.client(apiKey: "alpha-key-new", authorization: nil, hasher: KeyHasher()).get()
        let beta = try Self.directory.client(apiKey: Self.hashed, authorization: nil, hasher: KeyHasher()).get()
        #expect(alpha.index == 0)
        #expect(alpha.mayUse("anything"))
        #expect(beta.index == 1)
        #expect(["gpt-4o", "mini"].allSatisfy(beta.mayUse))
        #expect(!["", "gpt-4", "gpt-4o ", "GPT-4O", "gpt-4o\u{0}"].contains(where: beta.mayUse))
        #expect(Self.directory.clients.map(\.name) == ["alpha", "beta", "gamma", "broken"])
    }
}

extension ClientDirectory {
    /// Who has a key; a bearer that is none is unknown here.
    fileprivate func client(apiKey: String?, authorization: String?, hasher: KeyHasher) -> Result<Client, GatewayError>
    {
        switch find(apiKey: apiKey, authorization: authorization, hasher: hasher) {
        case .client(let client): .success(client)
        case .bearer: .failure(.unknownKey)
        case .refused(let error): .failure(error)
        }
    }
}
