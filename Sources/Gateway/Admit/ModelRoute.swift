internal import Coordination

/// Where requests for one model may go. Made once for a configuration, and held by each request for as long as it lasts.
final class ModelRoute: Sendable {
    struct Deployment: Sendable {
        /// The endpoint's number.
        let endpoint: Int
        /// The deployment's number; `nil` for one that the configuration does not name.
        var number: Int? = nil
        /// Its name there; `nil` leaves the name in the request as it is.
        let name: String?
        let isProvisioned: Bool
        /// Tried from low to high.
        let tier: Int
        /// Its part of the requests among the deployments of its tier.
        let weight: Int
        /// The part of the requests without streaming that may use it, 0 ... 1.
        let nonStreamingFraction: Double
        /// Only clients of this priority, and of higher ones, may use it: 0 is the highest.
        let openToPriority: Int
        /// A limit of 0 in the shadow: it would let nothing go there.
        var shadowBlock: LimitKind? = nil
    }

    /// The model's number; `nil` for one that the configuration does not list.
    let model: Int?
    /// In order of their tiers; at most `Admission.mostCandidates`. Empty if each one is blocked by a limit of 0.
    let deployments: [Deployment]
    /// The same deployments, as the coordinator knows them.
    let candidates: [Candidate]
    /// What the books call each of them.
    let lines: [String]
    /// Reserved for the answer to a request that sets no maximum, in tokens.
    let defaultOutputTokens: Int64
    /// Requests whose prompts begin alike prefer the same deployment of a tier.
    let prefersPrefix: Bool
    /// The order for every request, where all of them may use every deployment in the order of the file.
    let fixedOrder: [Int]?

    init(
        model: Int?,
        name: String?,
        deployments: [(Deployment, Candidate)],
        defaultOutputTokens: Int64,
        prefersPrefix: Bool = false
    ) {
        self.prefersPrefix = prefersPrefix
        let sorted = deployments.enumerated()
            .sorted { ($0.element.0.tier, $0.offset) < ($1.element.0.tier, $1.offset) }
            .map(\.element)
        self.model = model
        self.deployments = sorted.map(\.0)
        candidates = sorted.map(\.1)
        lines = sorted.map { Usage.line(model: name, deployment: $0.1.id) }
        self.defaultOutputTokens = defaultOutputTokens
        let tiers = Set(sorted.map(\.0.tier))
        let isFixed =
            tiers.count == sorted.count
            && sorted.allSatisfy { $0.0.nonStreamingFraction >= 1 && $0.0.openToPriority >= 9 }
        fixedOrder = isFixed ? Array(sorted.indices) : nil
    }
}

extension ModelRoute {
    /// - Parameters:
    ///   - name: of the model `*`, the one that is asked for, which is also that of its deployments.
    convenience init(_ model: GatewayConfiguration.Model, named name: String? = nil, roster: Roster) {
        let deployments = model.deployments.compactMap { deployment -> (Deployment, Candidate)? in
            guard let endpoint = roster.endpoints[deployment.endpoint], !deployment.limits.isBlocked else { return nil }
            let id = DeploymentID(
                endpoint: deployment.endpoint,
                deployment: deployment.deployment ?? name ?? model.name
            )
            return (
                Deployment(
                    endpoint: endpoint,
                    number: roster.deployments[id.name],
                    name: deployment.deployment,
                    isProvisioned: deployment.kind == .provisioned,
                    tier: deployment.tier,
                    weight: deployment.weight,
                    nonStreamingFraction: deployment.nonStreamingFraction,
                    openToPriority: deployment.openToPriority,
                    shadowBlock: deployment.limits.shadowBlock
                ),
                Candidate(id: id, deployment)
            )
        }
        self.init(
            model: roster.models[model.name],
            name: name ?? model.name,
            deployments: deployments,
            defaultOutputTokens: Int64(model.defaultOutputTokens),
            prefersPrefix: model.prefixAffinity
        )
    }

    /// What names no model and lives on one resource.
    convenience init(at endpoint: Int, named name: String) {
        let deployment = Deployment(
            endpoint: endpoint,
            name: nil,
            isProvisioned: false,
            tier: 1,
            weight: 1,
            nonStreamingFraction: 1,
            openToPriority: 9
        )
        let candidate = Candidate(id: DeploymentID(endpoint: name, deployment: ""), limits: DeploymentLimits())
        self.init(
            model: nil,
            name: nil,
            deployments: [(deployment, candidate)],
            defaultOutputTokens: Self.defaultOutputTokens
        )
    }

    /// A model that goes to the endpoints in their order, under its own name; no model goes to the first of them.
    ///
    /// - Parameter endpoints: numbers and names.
    convenience init(unlisted name: String?, endpoints: [(number: Int, name: String)]) {
        // What names no model (files, stored responses) lives on one resource: it must not move to another.
        let usable = name == nil ? 1 : Admission.mostCandidates
        let deployments = endpoints.prefix(usable).enumerated().map { index, endpoint in
            (
                Deployment(
                    endpoint: endpoint.number,
                    name: nil,
                    isProvisioned: false,
                    tier: index + 1,
                    weight: 1,
                    nonStreamingFraction: 1,
                    openToPriority: 9
                ),
                Candidate(id: DeploymentID(endpoint: endpoint.name, deployment: name ?? ""), limits: DeploymentLimits())
            )
        }
        self.init(model: nil, name: name, deployments: deployments, defaultOutputTokens: Self.defaultOutputTokens)
    }

    /// For models that the configuration does not list.
    private static let defaultOutputTokens: Int64 = 1024
}

extension Candidate {
    /// A deployment as the coordinator knows it.
    init(id: DeploymentID, _ deployment: GatewayConfiguration.Deployment) {
        self.init(
            id: id,
            limits: DeploymentLimits(
                requests: deployment.limits.requestsPerMinute.flatMap { Rate(perMinute: Int64($0)) },
                tokens: deployment.limits.tokensPerMinute.flatMap { Rate(perMinute: Int64($0)) },
                concurrency: deployment.limits.concurrentRequests.flatMap { $0 > 0 ? Int64($0) : nil },
                isShadow: deployment.limits.isShadow
            ),
            isProbed: deployment.probe
        )
    }
}
