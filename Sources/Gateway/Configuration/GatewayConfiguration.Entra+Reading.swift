extension GatewayConfiguration.FrontDoor {
    init?(reading keys: inout MappingReader) {
        let ids = keys.required("ids", "Only requests with one of these in X-Azure-FDID are accepted.")
        guard let ids = ids?.uniqueList({ $0.uuid() }) else { return nil }
        self.init(ids: ids)
    }
}

extension GatewayConfiguration.EntraTenant {
    init?(reading keys: inout MappingReader, tenants: inout NameRegistry) {
        let tenant = keys.required("tenant", "The tenant's id.")
        let id = tenant?.uuid()
        if let tenant, let id {
            tenants.declare(Located(value: id, position: tenant.node.position, isShowable: false), in: keys.context)
        }
        let audiences = keys.required(
            "audiences",
            "Accepted in the token's `aud`: an application's id, or its api:// URI."
        )
        self.init(tenant: id ?? "", audiences: audiences?.uniqueList { $0.claim() } ?? [])
        let cloud = keys.optional("cloud", "Which of Azure's clouds the tenant is in. Default public.")
        let authority = keys.optional(
            "authority",
            "Another host that serves the metadata; plain http only on loopback."
        )
        self.cloud = cloud?.choice(of: GatewayConfiguration.AzureCloud.self) ?? .public
        self.authority = authority?.authority()
        if let authority, cloud != nil {
            authority.report("stands beside 'cloud'; keep one of the two", at: authority.position)
        }
        keys.read("clock_skew", "How far the clocks may be apart.", into: &self.clockSkew) {
            $0.duration(from: .zero, to: .seconds(5 * 60))
        }
        guard id != nil else { return nil }
    }
}

extension GatewayConfiguration.EntraClient {
    init(reading keys: inout MappingReader) {
        self.init()
        var isAnybody = false
        keys.read("users", "Object ids of users.", into: &self.users) {
            $0.people(&isAnybody) { $0.uuid() }
        }
        keys.read("applications", "Client ids of applications that call for themselves.", into: &self.applications) {
            $0.people(&isAnybody) { $0.uuid() }
        }
        keys.read("roles", "App roles.", into: &self.roles) {
            $0.people(&isAnybody) { $0.claim() }
        }
        keys.read("groups", "Object ids of groups.", into: &self.groups) {
            $0.people(&isAnybody) { $0.uuid() }
        }
        if !isAnybody {
            keys.context.report(keys.position, "this names nobody; give it users, applications, roles or groups")
        }
    }
}

extension ConfigurationField {
    /// A list without repeats.
    func uniqueList(canBeEmpty: Bool = false, _ parse: (ConfigurationField) -> String?) -> [String]? {
        guard let entries = self.list(canBeEmpty: canBeEmpty) else { return nil }
        var lines: [String: Int] = [:]
        var values: [String] = []
        for entry in entries {
            guard let value = parse(entry) else { continue }
            if let line = lines[value] {
                entry.report("is already on line \(line); remove one of them")
                continue
            }
            lines[value] = entry.node.position.line
            values.append(value)
        }
        return values
    }

    /// A list that may be empty.
    ///
    /// - Parameter isAnybody: set when it is not, whether its entries can be read or not.
    fileprivate func people(_ isAnybody: inout Bool, _ parse: (ConfigurationField) -> String?) -> [String]? {
        if case .list(let entries) = self.node.content, !entries.isEmpty {
            isAnybody = true
        }
        return self.uniqueList(canBeEmpty: true, parse)
    }

    /// What a token's claim is compared with, to the character.
    fileprivate func claim() -> String? {
        self.value(.words("text without spaces")) { text throws(BadValue) in
            guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), text.utf8.count <= 256 else {
                throw BadValue("must be 1 to 256 printable ASCII characters without spaces")
            }
            return text
        }?.value
    }

    /// A server that stands in for Entra ID.
    func authority() -> EndpointURL? {
        self.value(.words("URL")) { text throws(BadValue) in
            let url = try EndpointURL.parse(text)
            guard url.scheme == .https || url.isLoopback else {
                throw BadValue("must be https://, except on loopback", shown: false)
            }
            return url
        }?.value
    }
}
