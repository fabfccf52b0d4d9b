import Testing
import TokenMill

@testable import Gateway

@Suite("A good token")
struct TokenAcceptanceTests {
    typealias Known = TokenDraft.Known

    static let everyWay = ClientRule(
        users: [GUID(Known.user)!],
        applications: [GUID(Known.application)!],
        roles: [Known.role],
        groups: [GUID(Known.group)!]
    )

    @Test("of an application is taken, in both versions, and says who calls", arguments: [false, true])
    func application(isVersion1: Bool) throws {
        let bench = try TokenBench()
        let draft = isVersion1 ? TokenDraft.application.version1 : .application
        let identity = try #require(bench.identity(of: draft.signed()))
        #expect(identity.client == 0)
        #expect(identity.tenant == 0)
        #expect(identity.isApplication)
        #expect(identity.objectID?.description == Known.principal)
        #expect(identity.application?.description == Known.application)
        #expect(identity.tokenID.description == "AbCdEfGhIjKlMnOpQrStUv")
    }

    @Test("of a user is taken by the user, in both versions", arguments: [false, true])
    func user(isVersion1: Bool) throws {
        let bench = try TokenBench(clients: [ClientRule(users: [GUID(Known.user)!])])
        let draft = isVersion1 ? TokenDraft.user.version1 : .user
        let identity = try #require(bench.identity(of: draft.signed()))
        #expect(!identity.isApplication)
        #expect(identity.objectID?.description == Known.user)
        #expect(identity.application?.description == Known.application)
    }

    @Test("is never taken for its application's when it is a user's")
    func userOfApplication() throws {
        let bench = try TokenBench(clients: [ClientRule(applications: [GUID(Known.application)!])])
        #expect(bench.refusal(of: TokenDraft.user.signed()) == .noClient)
        #expect(bench.refusal(of: TokenDraft.user.with("idtyp", "\"user\"").signed()) == .noClient)
        #expect(bench.refusal(of: TokenDraft.user.with("idtyp", "\"app\"").signed()) == .noClient, "it has a scope")
        #expect(bench.refusal(of: TokenDraft.application.with("idtyp", "\"user\"").signed()) == .noClient)
        #expect(bench.refusal(of: TokenDraft.application.with("sub", "\"other\"").signed()) == .noClient)
        #expect(bench.identity(of: TokenDraft.application.signed()) != nil)
        #expect(bench.identity(of: TokenDraft.application.without("roles").signed()) != nil, "it is listed")
    }

    @Test("of an application that lists it by its principal is taken without a role")
    func principal() throws {
        let bench = try TokenBench(clients: [ClientRule(users: [GUID(Known.principal)!])])
        #expect(bench.identity(of: TokenDraft.application.without("roles").signed()) != nil)
    }

    @Test("with idtyp needs no other sign of being an application's")
    func kind() throws {
        let bench = try TokenBench(clients: [ClientRule(applications: [GUID(Known.application)!])])
        let draft = TokenDraft.application.without("roles").without("sub").without("oid")
        #expect(bench.refusal(of: draft.signed()) == .noPermission)
        #expect(bench.identity(of: draft.with("idtyp", "\"app\"").signed()) != nil)
    }

    @Test("finds its client by user, application, role or group, the first in file order")
    func order() throws {
        let group = ClientRule(groups: [GUID(Known.group)!])
        let role = ClientRule(roles: ["x", Known.role])
        let user = ClientRule(users: [GUID(Known.user)!])
        let application = ClientRule(applications: [GUID(Known.application)!])
        let nobody = ClientRule()
        let grouped = TokenDraft.user.with("groups", "[\"\(Known.otherTenant)\",\"\(Known.group)\"]")
        let ruled = grouped.with("roles", "[\"\(Known.role)\"]")
        #expect(try TokenBench(clients: [nobody, group, user]).identity(of: grouped.signed())?.client == 1)
        #expect(try TokenBench(clients: [user, group]).identity(of: grouped.signed())?.client == 0)
        #expect(try TokenBench(clients: [nobody, role, user]).identity(of: ruled.signed())?.client == 1)
        #expect(try TokenBench(clients: [application, nobody, user]).identity(of: ruled.signed())?.client == 2)
        let app = TokenDraft.application.signed()
        #expect(try TokenBench(clients: [user, application, role]).identity(of: app)?.client == 1)
        #expect(try TokenBench(clients: [group, role, application]).identity(of: app)?.client == 1)
    }

    @Test(
        "with more groups than fit is refused where a group could decide, and only there",
        arguments: [
            ("_claim_names", "{\"groups\":\"src1\"}"), ("hasgroups", "true"), ("hasgroups", "\"true\""),
        ]
    )
    func overage(name: String, json: String) throws {
        let group = ClientRule(groups: [GUID(Known.group)!])
        let user = ClientRule(users: [GUID(Known.user)!])
        let token = TokenDraft.user.with(name, json)
            .with("_claim_sources", "{\"src1\":{\"endpoint\":\"https://graph.windows.net/x\"}}").signed()
        #expect(try TokenBench(clients: [group]).refusal(of: token) == .groupsUnknown)
        #expect(try TokenBench(clients: [group, user]).refusal(of: token) == .groupsUnknown)
        #expect(try TokenBench(clients: [user, group]).identity(of: token)?.client == 0)
        #expect(try TokenBench(clients: [user]).identity(of: token)?.client == 0)
        #expect(try TokenBench(clients: [ClientRule(roles: ["x"])]).refusal(of: token) == .noClient)
    }

    @Test("may have a claim source for something else than groups")
    func otherClaimSource() throws {
        let bench = try TokenBench(clients: [ClientRule(groups: [GUID(Known.group)!])])
        let token = TokenDraft.user.with("_claim_names", "{\"wids\":\"src1\"}").with("hasgroups", "false").signed()
        #expect(bench.refusal(of: token) == .noClient)
    }

    @Test("is taken up to the last second of the skew, and not the next")
    func skew() throws {
        let bench = try TokenBench()
        func verdict(_ name: String, _ time: Int64) -> TokenRefusal? {
            bench.refusal(of: TokenDraft.application.with(name, "\(time)").signed())
        }
        #expect(verdict("exp", Known.now - Known.skew + 1) == nil)
        #expect(verdict("exp", Known.now - Known.skew) == .expired)
        #expect(verdict("nbf", Known.now + Known.skew) == nil)
        #expect(verdict("nbf", Known.now + Known.skew + 1) == .notYetValid)
        #expect(verdict("iat", Known.now + Known.skew) == nil)
        #expect(verdict("iat", Known.now + Known.skew + 1) == .issuedInFuture)
        #expect(verdict("exp", JSONCursor.maxInteger) == nil)
    }

    @Test("may lack what is optional")
    func optional() throws {
        let bench = try TokenBench()
        for name in ["nbf", "iat", "uti", "azp", "oid", "sub", "aio", "rh"] {
            #expect(bench.identity(of: TokenDraft.application.without(name).signed()) != nil, "\(name)")
        }
        #expect(bench.identity(of: TokenDraft.application.header("typ", nil).signed()) != nil)
        #expect(bench.identity(of: TokenDraft.application.header("typ", "\"at+JWT\"").signed()) != nil)
        #expect(
            bench.identity(of: TokenDraft.application.with("uti", "\"\(String(repeating: "x", count: 99))\"").signed())
                != nil
        )
    }

    @Test("may be for one of several audiences, and in version 1 with a slash at its end or without")
    func audiences() throws {
        let bench = try TokenBench()
        #expect(bench.identity(of: TokenDraft.application.with("aud", "[\"x\",\"\(Known.api)\"]").signed()) != nil)
        #expect(bench.identity(of: TokenDraft.application.version1.with("aud", "\"\(Known.apiURI)/\"").signed()) != nil)
        #expect(bench.identity(of: TokenDraft.application.version1.with("aud", "\"\(Known.api)\"").signed()) != nil)
        #expect(
            bench.refusal(of: TokenDraft.application.version1.with("aud", "\"\(Known.apiURI)//\"").signed())
                == .audience
        )
    }

    @Test("is of its own cloud", arguments: EntraCloud.allCases)
    func clouds(cloud: EntraCloud) throws {
        let tenant = EntraTenant(
            id: GUID(Known.tenant)!,
            audiences: [Known.api, Known.apiURI],
            authority: .cloud(cloud)
        )
        let bench = try TokenBench(tenants: [tenant])
        let hosts: [EntraCloud: (v1: String, v2: String)] = [
            .public: ("sts.windows.net", "login.microsoftonline.com"),
            .usGovernment: ("sts.windows.net", "login.microsoftonline.us"),
            .china: ("sts.chinacloudapi.cn", "login.partner.microsoftonline.cn"),
        ]
        for (other, host) in hosts {
            let v2 = TokenDraft.application.with("iss", "\"https://\(host.v2)/\(Known.tenant)/v2.0\"").signed()
            let v1 = TokenDraft.application.version1.with("iss", "\"https://\(host.v1)/\(Known.tenant)/\"").signed()
            #expect(bench.refusal(of: v2) == (other == cloud ? nil : .issuer))
            #expect(bench.refusal(of: v1) == (host.v1 == hosts[cloud]?.v1 ? nil : .issuer))
        }
    }

    @Test("is of the issuer that another authority says it is")
    func otherAuthority() throws {
        let tenant = EntraTenant(
            id: GUID(Known.tenant)!,
            audiences: [Known.api],
            authority: .other("https://login.example")
        )
        let bench = try TokenBench(tenants: [tenant])
        let issuer = "https://login.example/\(Known.tenant)/v2.0"
        try bench.setKeys(
            tenant: 0,
            .v2,
            KeySet(issuer: issuer, keys: [SigningKey.first.verification(id: Known.keyID)])
        )
        #expect(bench.identity(of: TokenDraft.application.with("iss", "\"\(issuer)\"").signed()) != nil)
        #expect(bench.refusal(of: TokenDraft.application.signed()) == .issuer)
    }

    @Test("waits for a key that is not here, when one may come")
    func pending() throws {
        let bench = try TokenBench()
        let token = TokenDraft.application.header("kid", "\"new\"").signed(by: .second)
        #expect(bench.refusal(of: token) == .key)
        bench.allowRefresh()
        let id = KeySetID(tenant: 0, version: .v2)
        #expect(bench.authenticate(token) == .pending(KeyWish(set: id, keyID: "new")))
        try bench.setKeys(tenant: 0, .v2, ["new": .second])
        #expect(bench.identity(of: token) != nil)
        #expect(bench.refusal(of: TokenDraft.application.signed()) == .key, "the key that is gone")
    }

    @Test("cannot be judged while there are no keys")
    func noKeys() throws {
        let bench = try TokenBench()
        try bench.setKeys(tenant: 0, .v2, nil)
        #expect(bench.refusal(of: TokenDraft.application.signed()) == .keysUnavailable)
        #expect(bench.identity(of: TokenDraft.application.version1.signed()) != nil)
    }
}
