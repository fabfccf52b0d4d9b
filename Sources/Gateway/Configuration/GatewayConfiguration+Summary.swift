extension GatewayConfiguration {
    /// What the configuration means, in words: who may do what, and where it goes. Holds no secret.
    package func summary() -> String {
        var lines = [
            "Listens on \(self.listen) with \(self.tls == nil ? "plain HTTP" : "TLS"); admin on \(self.admin).",
            "Serves at most \(QuantitySyntax.count.text(self.server.maxInFlight)) requests at once on \(self.loops).",
            self.coordination?.words ?? "Holds its limits alone: run a single replica, or configure 'coordination'.",
        ]
        if let frontDoor = self.frontDoor {
            lines.append("Accepts only requests from Front Door \(frontDoor.ids.joined(separator: ", ")).")
        }
        lines += self.entra.map { "Validates access tokens of tenant \($0.tenant) for \(listed($0.audiences, "or"))." }
        if let mock = self.mock {
            lines.append("Answers every request itself, after \(DurationSyntax.text(mock.delay)).")
        }
        lines += self.sinks.map { "Writes usage to \($0.words)." }
        if let tracing = self.tracing {
            let callers = tracing.followCallers ? ", and where a caller traces" : ""
            lines.append(
                "Sends spans to \(tracing.otlp) for a fraction of \(FractionSyntax.text(tracing.samplingRatio)) of the requests\(callers)."
            )
        }
        lines += ["", "Clients:"] + self.clients.flatMap { $0.lines(among: self.models) }
        lines += ["", "Models:"] + self.models.flatMap(\.lines)
        if self.models.isEmpty, !self.endpoints.isEmpty {
            let names = self.endpoints.map(\.name).joined(separator: ", then ")
            lines.append("  none declared: any model goes to \(names) under its own name.")
        }
        if !self.endpoints.isEmpty {
            lines += ["", "Endpoints:"] + self.endpoints.map { "  \($0.name) is \($0.words)." }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var loops: String {
        self.server.threads.map { counted($0, "event loop") } ?? "one event loop per core"
    }
}

extension GatewayConfiguration.Coordination {
    fileprivate var words: String {
        let away =
            switch self.whenUnavailable {
            case .share: "holds each limit divided by the replicas, \(self.assumedReplicas) until it knows how many"
            case .open: "lets everything pass"
            case .closed: "refuses everything"
            }
        let credential =
            switch self.credential {
            case .password: " with a password"
            case .entra: " with an access token"
            case nil: ""
            }
        let kind = self.cluster ? "the cluster at \(self.redis)" : "\(self.redis)"
        return
            "Shares limits through \(kind)\(credential); without an answer in \(DurationSyntax.text(self.deadline)) a "
            + "replica \(away)."
    }
}

extension GatewayConfiguration.Client {
    fileprivate func lines(among models: [GatewayConfiguration.Model]) -> [String] {
        var ways: [String] = []
        if !self.apiKeys.isEmpty { ways.append(counted(self.apiKeys.count, "API key")) }
        if !self.entra.isEmpty {
            let people = [
                (self.entra.users.count, "user"), (self.entra.applications.count, "application"),
                (self.entra.roles.count, "role"), (self.entra.groups.count, "group"),
            ]
            ways.append("tokens of " + listed(people.filter { $0.0 > 0 }.map { counted($0.0, $0.1) }, "or"))
        }
        if self.takesAnyBearerToken { ways.append("any bearer token") }
        let names =
            switch self.models {
            case .all: "every model"
            case .only(let names): listed(names, "and")
            }
        let burst = [
            self.burst.requests.map { "\(counted($0, "request"))" },
            self.burst.tokens.map { "\(counted($0, "token"))" },
        ].compactMap(\.self)
        let atOnce = burst.isEmpty ? "" : ", up to \(listed(burst, "and")) at once"
        var lines = ["  \(self.name) (\(ways.joined(separator: ", "))) may use \(names) at priority \(self.priority)."]
        if !self.limits.isEmpty {
            lines.append("    In all \(self.limits.words)\(atOnce).")
        }
        for (model, limits) in self.modelLimits.sorted(by: { $0.key < $1.key }) {
            lines.append("    \(model == "*" ? "Each other model" : model): \(limits.words).")
        }
        if self.limits.isEmpty, self.modelLimits.isEmpty {
            lines.append("    Without limits.")
        }
        for model in models where self.mayUse(model) {
            if model.deployments.allSatisfy({ $0.openToPriority < self.priority }) {
                lines.append("    Beware: no deployment of \(model.title) is open to priority \(self.priority).")
            }
        }
        return lines
    }

    private func mayUse(_ model: GatewayConfiguration.Model) -> Bool {
        switch self.models {
        case .all: true
        case .only(let names): names.contains(model.name)
        }
    }
}

extension GatewayConfiguration.Limits {
    fileprivate var words: String {
        let limits = [
            (self.requestsPerMinute, "request", " a minute"), (self.tokensPerMinute, "token", " a minute"),
            (self.concurrentRequests, "request", " at the same time"), (self.tokensPerDay, "token", " a day"),
            (self.tokensPerMonth, "token", " a month"),
        ]
        let shadow = self.isShadow ? " (shadow: counted, never refused)" : ""
        if self.isBlocked { return "nothing, as a limit is 0" }
        let words = limits.compactMap { limit, noun, time in limit.map { counted($0, noun) + time } }
        return words.isEmpty ? "no limit" : "at most \(listed(words, "and"))\(shadow)"
    }
}

extension GatewayConfiguration.Model {
    fileprivate var title: String { self.name == "*" ? "every other model" : self.name }

    fileprivate var lines: [String] {
        let wait =
            self.queue.maxWait == .zero ? "" : ", waits up to \(DurationSyntax.text(self.queue.maxWait)) for room"
        let reserved = "reserves \(counted(self.defaultOutputTokens, "token")) for an answer without a maximum"
        return ["  \(self.title) \(reserved)\(wait), and goes to:"]
            + self.deployments.enumerated().sorted { ($0.element.tier, $0.offset) < ($1.element.tier, $1.offset) }
            .map { "    tier \($0.element.tier): \($0.element.words)." }
    }
}

extension GatewayConfiguration.Deployment {
    fileprivate var words: String {
        var parts = ["\(self.deployment ?? "the same name") of \(self.endpoint)"]
        if self.kind == .provisioned { parts.append("provisioned") }
        if self.weight != 1 { parts.append("weight \(self.weight)") }
        if self.nonStreamingFraction < 1 {
            parts.append("\(FractionSyntax.text(self.nonStreamingFraction)) of the requests without streaming")
        }
        if self.openToPriority < 9 { parts.append("for priorities 0 to \(self.openToPriority)") }
        if !self.limits.isEmpty { parts.append(self.limits.words) }
        return parts.joined(separator: ", ")
    }
}

extension GatewayConfiguration.Endpoint {
    fileprivate var words: String {
        let credential =
            switch self.credential {
            case .apiKey: "with its API key"
            case .identity(.managed(let clientID)): "as managed identity\(clientID.map { " \($0)" } ?? "")"
            case .identity(.workload): "as workload identity"
            case .identity(.application(let application)):
                "as application \(application.clientID) of tenant \(application.tenant)"
            case .passThrough: "with the client's credential"
            case nil: "without a credential"
            }
        var parts = [self.url.description, credential, "at most \(counted(self.connections.max, "connection"))"]
        if let proxy = self.proxy {
            parts.append("through \(proxy)")
        }
        if !self.forwardHeaders.isEmpty {
            parts.append("also forwarding \(self.forwardHeaders.joined(separator: ", "))")
        }
        if let expression = self.forwardHeadersMatching {
            parts.append("forwarding headers that match \(expression)")
        }
        return parts.joined(separator: ", ")
    }
}

extension GatewayConfiguration.UsageSink {
    fileprivate var words: String {
        switch self {
        case .console: "standard output"
        case .csv(let directory, .powerProxy): "CSV files in \(directory)"
        case .csv(let directory, .extended): "CSV files with all columns in \(directory)"
        case .jsonl(let directory): "JSON lines in \(directory)"
        case .logAnalytics(let table): "the stream \(table.stream) of \(table.endpoint)"
        }
    }
}

private func counted(_ count: Int, _ noun: String) -> String {
    "\(QuantitySyntax.count.text(count)) \(noun)\(count == 1 ? "" : "s")"
}

/// "a, b and c".
private func listed(_ words: [String], _ conjunction: String) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "nothing" }
    return words.dropLast().joined(separator: ", ") + " \(conjunction) \(last)"
}
