/// The deployments of the resource, by name. Shared by all loops; their limits change, the table does not.
struct DeploymentTable: Sendable {
    /// Azure's names are at most this long; it also bounds the books where any name goes.
    private static let maximumNameBytes = 128

    /// In the order they were given.
    let all: [Deployment]
    private let byName: [String: Deployment]
    private let acceptsAny: Bool

    /// - Throws: when a name stands there twice, or a spillover leads nowhere.
    init(_ specifications: [DeploymentSpecification]) throws(BadRequest) {
        let named = specifications.filter { $0.name != DeploymentSpecification.any }
        self.all = named.map { Deployment($0) }
        self.acceptsAny = named.count < specifications.count
        var byName: [String: Deployment] = [:]
        for deployment in self.all {
            if byName.updateValue(deployment, forKey: deployment.name) != nil {
                throw BadRequest("the deployment '\(deployment.name)' is there twice")
            }
        }
        self.byName = byName
        for specification in named { try self.check(specification.limits, of: specification.name) }
    }

    var names: [String] { self.all.map(\.name) }

    /// The deployment of this name, if it was given by name.
    subscript(name: String) -> Deployment? { self.byName[name] }

    /// Whether a request may name it.
    func contains(_ name: String) -> Bool {
        self.byName[name] != nil
            || self.acceptsAny && !name.isEmpty && name.utf8.count <= Self.maximumNameBytes
    }

    /// Forgets what the limits counted.
    func restartLimits() {
        for deployment in self.all { deployment.limiter.restart() }
    }

    /// A spillover has to lead to another deployment that exists.
    func check(_ limits: LimitSettings, of name: String) throws(BadRequest) {
        guard let target = limits.spillover else { return }
        if target == name { throw BadRequest("the deployment '\(name)' cannot spill over to itself") }
        if !self.contains(target) { throw BadRequest("there is no deployment '\(target)' to spill over to") }
    }
}
