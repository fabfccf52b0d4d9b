extension GatewayConfiguration {
    /// What the configuration means, in words: who may do what, and where it goes. Holds no secret.
    package func summary() -> String {
        var lines = [
            "Listens on \(self.listen) with \(self.tls == nil ? "plain HTTP" : "TLS"); admin on \(self.admin).",
            "Serves at most \(QuantitySyntax.count.text(self.server.maxInFlight)) requests at once on \(self.loops).",
            "",
            "Clients:",
        ]
        lines += self.clients.map { client in
            "  \(client.name) (\(counted(client.apiKeys.count, "API key"))) may use \(client.models.words)."
        }
        lines += ["", "Models:"]
        lines += self.models.map { "  \($0.name) goes to \($0.destination)." }
        if self.models.isEmpty {
            lines.append("  none declared.")
        }
        lines += ["", "Endpoints:"]
        lines += self.endpoints.map { "  \($0.name) is \($0.words)." }
        return lines.joined(separator: "\n") + "\n"
    }

    private var loops: String {
        self.server.threads.map { counted($0, "event loop") } ?? "one event loop per core"
    }
}

extension GatewayConfiguration.AllowedModels {
    fileprivate var words: String {
        switch self {
        case .all: "every model"
        case .only(let names): names.joined(separator: ", ")
        }
    }
}

extension GatewayConfiguration.Model {
    fileprivate var destination: String {
        self.deployments.map { "deployment \($0.deployment ?? self.name) of \($0.endpoint)" }.joined(
            separator: ", then "
        )
    }
}

extension GatewayConfiguration.Endpoint {
    fileprivate var words: String {
        var parts = [
            self.url.description,
            self.apiKey == nil ? "without a credential" : "with its API key",
            "at most \(counted(self.connections.max, "connection"))",
        ]
        if let proxy = self.proxy {
            parts.append("through \(proxy)")
        }
        if !self.forwardHeaders.isEmpty {
            parts.append("also forwarding \(self.forwardHeaders.joined(separator: ", "))")
        }
        return parts.joined(separator: ", ")
    }
}

private func counted(_ count: Int, _ noun: String) -> String {
    "\(QuantitySyntax.count.text(count)) \(noun)\(count == 1 ? "" : "s")"
}
