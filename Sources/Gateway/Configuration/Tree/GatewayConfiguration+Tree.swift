extension GatewayConfiguration {
    /// Everything that the file says or leaves to defaults.
    var tree: ConfigurationTree {
        let tree = ConfigurationTree.mapping([
            ("listen", .text(self.listen.description)), ("admin", .text(self.admin.description)),
            ("tls", self.tls.map { .mapping([("certificate", .text($0.certificate)), ("key", .text($0.key))]) }),
            ("front_door", self.frontDoor.map { .mapping([("ids", .texts($0.ids))]) }),
            ("server", self.server.tree),
            ("coordination", self.coordination?.tree),
            ("entra", .list(self.entra.map(\.tree))),
            ("clients", .list(self.clients.map(\.tree))),
            ("mock", self.mock.map { .mapping([("delay", .text($0.delay)), ("body", .text($0.body))]) }),
            ("endpoints", .list(self.endpoints.map(\.tree))),
            ("models", .list(self.models.map(\.tree))),
            ("usage", self.sinks.isEmpty ? nil : self.usageTree),
            ("tracing", self.tracing.map(\.tree)),
            ("log", self.log.tree),
        ])
        let defaults = Self()
        return tree.marked(
            by: .mapping([
                ("listen", .text(defaults.listen.description)), ("admin", .text(defaults.admin.description)),
                ("server", defaults.server.tree), ("log", defaults.log.tree),
            ])
        )
    }
}

extension GatewayConfiguration {
    fileprivate var usageTree: ConfigurationTree {
        .mapping([("spool", self.spool.map { .text($0) }), ("sinks", .list(self.sinks.map(\.tree)))])
    }
}

extension GatewayConfiguration.Server {
    fileprivate var tree: ConfigurationTree {
        .mapping([
            ("max_header_bytes", .text(bytes: self.maxHeaderBytes)), ("max_header_count", .text(self.maxHeaderCount)),
            ("max_target_bytes", .text(bytes: self.maxTargetBytes)),
            ("max_body_bytes", .text(bytes: self.maxBodyBytes)),
            ("idle_timeout", .text(self.idleTimeout)), ("request_head_timeout", .text(self.requestHeadTimeout)),
            ("heartbeat", .text(self.heartbeat)),
            ("drain", .mapping([("lame_duck", .text(self.drain.lameDuck)), ("grace", .text(self.drain.grace))])),
            ("max_in_flight", .text(self.maxInFlight)), ("threads", self.threads.map { .text($0) }),
            ("routing_headers", .text(self.routingHeaders)),
            ("model_refusal_status", .text(self.modelRefusalStatus)),
        ])
    }
}

extension GatewayConfiguration.Coordination {
    fileprivate var tree: ConfigurationTree {
        self.ownTree.marked(by: Self(redis: RedisURL(host: "", usesTLS: true)).ownTree)
    }

    private var ownTree: ConfigurationTree {
        var username: String?
        var password: Secret?
        var identity: GatewayConfiguration.AzureIdentity?
        switch self.credential {
        case .password(let name, let secret): (username, password) = (name, secret)
        case .entra(let name, let token): (username, identity) = (name, token)
        case nil: break
        }
        return .mapping([
            ("redis", .text(self.redis.description)), ("username", username.map { .text($0) }),
            ("password", password.map { .secret($0.reveal()) }), ("entra", identity.map { .mapping([$0.member]) }),
            ("cluster", .text(self.cluster)), ("deadline", .text(self.deadline)),
            ("when_unavailable", .text(self.whenUnavailable)), ("assumed_replicas", .text(self.assumedReplicas)),
            ("namespace", .text(self.namespace)), ("ca_file", self.caFile.map { .text($0) }),
        ])
    }
}

extension GatewayConfiguration.AzureIdentity {
    /// `managed_identity: {}` must stay, although it is empty.
    fileprivate var member: ConfigurationTree.Member {
        switch self {
        case .managed(let clientID):
            .init(key: "managed_identity", value: clientID.map { .text($0) } ?? .mapping([ConfigurationTree.Member]()))
        case .workload:
            .init(key: "workload_identity", value: .mapping([ConfigurationTree.Member]()))
        case .application(let application):
            .init(
                key: "client_secret",
                value: .mapping([
                    ("tenant", .text(application.tenant)), ("client_id", .text(application.clientID)),
                    ("secret", .secret(application.secret.reveal())),
                    ("cloud", application.cloud == .public ? nil : .text(application.cloud)),
                    ("authority", application.authority.map { .text($0.description) }),
                ])
            )
        }
    }
}

extension GatewayConfiguration.EntraTenant {
    fileprivate var tree: ConfigurationTree {
        self.ownTree.marked(by: Self(tenant: "", audiences: []).ownTree)
    }

    private var ownTree: ConfigurationTree {
        .mapping([
            ("tenant", .text(self.tenant)), ("audiences", .texts(self.audiences)),
            ("cloud", self.authority == nil ? .text(self.cloud) : nil),
            ("authority", self.authority.map { .text($0.description) }), ("clock_skew", .text(self.clockSkew)),
        ])
    }
}

extension GatewayConfiguration.Client {
    fileprivate var tree: ConfigurationTree {
        self.ownTree.marked(by: Self(name: "", apiKeys: [], models: .all).ownTree)
    }

    private var ownTree: ConfigurationTree {
        // Limits that are empty stay: they keep a model from those of "*".
        let modelLimits = self.modelLimits.sorted { $0.key < $1.key }.map { model, limits in
            ConfigurationTree.Member(key: model, value: limits.tree)
        }
        return .mapping([
            ("name", .text(self.name)), ("api_keys", .list(self.apiKeys.map(\.tree))), ("entra", self.entra.tree),
            ("any_bearer_token", .text(self.takesAnyBearerToken)), ("models", self.models.tree),
            ("priority", .text(self.priority)), ("limits", self.limits.tree), ("model_limits", .mapping(modelLimits)),
            (
                "burst",
                .mapping([
                    ("requests", self.burst.requests.map { .text($0) }),
                    ("tokens", self.burst.tokens.map { .text($0) }),
                ])
            ),
        ])
    }
}

extension GatewayConfiguration.APIKey {
    fileprivate var tree: ConfigurationTree {
        switch self {
        case .plain(let key):
            return .secret(key.reveal())
        case .sha256(let digest):
            let digits = digest.map { byte in
                let hexadecimal = String(byte, radix: 16)
                return hexadecimal.utf8.count == 1 ? "0" + hexadecimal : hexadecimal
            }
            return .secret("sha256:" + digits.joined())
        }
    }
}

extension GatewayConfiguration.EntraClient {
    fileprivate var tree: ConfigurationTree {
        .mapping([
            ("users", .texts(self.users)), ("applications", .texts(self.applications)), ("roles", .texts(self.roles)),
            ("groups", .texts(self.groups)),
        ])
    }
}

extension GatewayConfiguration.AllowedModels {
    fileprivate var tree: ConfigurationTree {
        switch self {
        case .all: .text("*")
        case .only(let names): .texts(names)
        }
    }
}

extension GatewayConfiguration.Limits {
    fileprivate var tree: ConfigurationTree {
        .mapping([
            ("requests_per_minute", self.requestsPerMinute.map { .text($0) }),
            ("tokens_per_minute", self.tokensPerMinute.map { .text($0) }),
            ("concurrent_requests", self.concurrentRequests.map { .text($0) }),
            ("tokens_per_day", self.tokensPerDay.map { .text($0) }),
            ("tokens_per_month", self.tokensPerMonth.map { .text($0) }),
            ("shadow", self.isShadow ? .text(true) : nil),
        ])
    }
}

extension GatewayConfiguration.Endpoint {
    fileprivate var tree: ConfigurationTree {
        self.ownTree.marked(by: Self(name: "", url: EndpointURL(scheme: .https, host: "")).ownTree)
    }

    private var ownTree: ConfigurationTree {
        var members: [ConfigurationTree.Member] = [
            .init(key: "name", value: .text(self.name)), .init(key: "url", value: .text(self.url.description)),
        ]
        switch self.credential {
        case .apiKey(let key): members.append(.init(key: "api_key", value: .secret(key.reveal())))
        case .identity(let identity): members.append(identity.member)
        case .passThrough: members.append(.init(key: "pass_through", value: .text(true)))
        case nil: break
        }
        let rest = ConfigurationTree.mapping([
            (
                "timeouts",
                .mapping([
                    ("connect", .text(self.timeouts.connect)), ("first_byte", .text(self.timeouts.firstByte)),
                    ("idle", .text(self.timeouts.idle)), ("total", .text(self.timeouts.total)),
                ])
            ),
            (
                "connections",
                .mapping([
                    ("max", .text(self.connections.max)), ("http2", .text(self.connections.http2)),
                    ("max_wait", .text(self.connections.maxWait)), ("max_waiting", .text(self.connections.maxWaiting)),
                ])
            ),
            ("forward_headers", .texts(self.forwardHeaders)),
            ("forward_headers_matching", self.forwardHeadersMatching.map { .text($0) }),
            ("ca_file", self.caFile.map { .text($0) }), ("proxy", self.proxy.map { .text($0) }),
        ])
        if case .mapping(let others) = rest {
            members += others
        }
        return .mapping(members)
    }
}

extension GatewayConfiguration.Model {
    fileprivate var tree: ConfigurationTree {
        let tree = ConfigurationTree.mapping([
            ("name", .text(self.name)), ("default_output_tokens", .text(self.defaultOutputTokens)),
            ("deployments", .list(self.deployments.map(\.tree))),
            ("queue", self.queue.tree), ("prefix_affinity", .text(self.prefixAffinity)),
        ])
        let defaults = Self(name: "", deployments: [])
        return tree.marked(
            by: .mapping([
                ("default_output_tokens", .text(defaults.defaultOutputTokens)),
                ("queue", defaults.queue.tree), ("prefix_affinity", .text(defaults.prefixAffinity)),
            ])
        )
    }
}

extension GatewayConfiguration.Queue {
    fileprivate var tree: ConfigurationTree {
        .mapping([("max_wait", .text(self.maxWait)), ("max_waiting", .text(self.maxWaiting))])
    }
}

extension GatewayConfiguration.Deployment {
    fileprivate var tree: ConfigurationTree {
        self.ownTree.marked(by: Self(endpoint: "", deployment: nil).ownTree)
    }

    private var ownTree: ConfigurationTree {
        .mapping([
            ("endpoint", .text(self.endpoint)), ("deployment", self.deployment.map { .text($0) }),
            ("kind", .text(self.kind)), ("tier", .text(self.tier)), ("weight", .text(self.weight)),
            ("non_streaming_fraction", .text(FractionSyntax.text(self.nonStreamingFraction))),
            ("open_to_priority", .text(self.openToPriority)), ("limits", self.limits.tree),
            ("probe", .text(self.probe)),
        ])
    }
}

extension GatewayConfiguration.UsageSink {
    fileprivate var tree: ConfigurationTree {
        switch self {
        case .console:
            return .mapping([("type", .text(Kind.console))])
        case .csv(let directory, let columns):
            return .mapping([
                ("type", .text(Kind.csv)), ("directory", .text(directory)),
                ("columns", columns == .powerProxy ? nil : .text(columns)),
            ])
        case .jsonl(let directory):
            return .mapping([("type", .text(Kind.jsonl)), ("directory", .text(directory))])
        case .logAnalytics(let table):
            let members = [
                ConfigurationTree.Member(key: "type", value: .text(Kind.logAnalytics)),
                .init(key: "endpoint", value: .text(table.endpoint.description)),
                .init(key: "rule", value: .text(table.rule)), .init(key: "stream", value: .text(table.stream)),
            ]
            return .mapping(members + [table.identity.member])
        }
    }
}

extension GatewayConfiguration.Tracing {
    fileprivate var tree: ConfigurationTree {
        ownTree.marked(by: Self(otlp: EndpointURL(scheme: .http, host: "")).ownTree)
    }

    private var ownTree: ConfigurationTree {
        .mapping([
            ("otlp", .text(self.otlp.description)),
            ("sampling_ratio", .text(FractionSyntax.text(self.samplingRatio))),
            ("follow_callers", .text(self.followCallers)), ("service", .text(self.service)),
            ("ca_file", self.caFile.map { .text($0) }),
        ])
    }
}

extension GatewayConfiguration.Log {
    fileprivate var tree: ConfigurationTree {
        .mapping([
            ("level", .text(self.level)), ("format", .text(self.format)), ("access", .text(self.access)),
            ("access_level", .text(self.accessLevel)),
            ("access_sampling_ratio", .text(FractionSyntax.text(self.accessSamplingRatio))),
        ])
    }
}
