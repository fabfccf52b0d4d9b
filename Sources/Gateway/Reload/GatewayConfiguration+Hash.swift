extension GatewayConfiguration {
    /// Sixteen hexadecimal digits that are the same for two replicas that decide alike: the beginning of the SHA-256 of all that
    /// the file says or leaves to defaults.
    ///
    /// Secrets are left out, so that nobody can try them against it, and so are the addresses that a replica listens on, which
    /// may be its own.
    package var hash: String {
        guard case .mapping(let members) = tree else { preconditionFailure("a configuration is a mapping") }
        var text = ""
        // What stands in for endpoints where there is a mock is each replica's own.
        let own: Set = mock == nil ? ["listen", "admin"] : ["listen", "admin", "endpoints"]
        for member in members where !own.contains(member.key) {
            text += JSONText.quoted(member.key) + ":"
            member.value.writeCanonically(to: &text)
        }
        return KeyHasher().digest(of: text).bytes.prefix(8).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count < 2 ? "0" + digits : digits
        }.joined()
    }
}

extension ConfigurationTree {
    fileprivate func writeCanonically(to text: inout String) {
        switch self {
        case .text(let value):
            text += JSONText.quoted(value)
        case .secret:
            text += "secret"
        case .list(let entries):
            text += "["
            for entry in entries {
                entry.writeCanonically(to: &text)
                text += ","
            }
            text += "]"
        case .mapping(let members):
            text += "{"
            for member in members {
                text += JSONText.quoted(member.key) + ":"
                member.value.writeCanonically(to: &text)
                text += ","
            }
            text += "}"
        }
    }
}
