/// A deployment of the resource: a name, a model, and its limits.
final class Deployment: Sendable {
    let name: String
    /// `nil`: any operation will do.
    let kind: ModelKind?
    let limiter: Limiter

    init(_ specification: DeploymentSpecification) {
        self.name = specification.name
        self.kind = specification.kind
        self.limiter = Limiter(specification.limits)
    }
}

/// A deployment as it is written on the command line: `NAME`, or `NAME,KEY=VALUE,KEY=VALUE`.
struct DeploymentSpecification: Equatable {
    /// The name that stands for any name.
    static let any = "*"
    private static let kindKey = "kind"

    let name: String
    private(set) var kind: ModelKind?
    private(set) var limits = LimitSettings()

    init(_ text: String) throws(BadRequest) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        self.name = String(parts[0])
        if self.name.isEmpty { throw BadRequest("a deployment needs a name") }
        if self.name == Self.any, parts.count > 1 { throw BadRequest("'*' takes no properties; name the deployment") }
        if self.name.utf8.contains(where: { $0 < 0x21 || $0 == 0x7F }) {
            throw BadRequest("'\(self.name)' is no name of a deployment")
        }
        self.kind = ModelKind(guessedFrom: self.name)
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { throw BadRequest("'\(part)' is not KEY=VALUE; \(Self.known)") }
            try self.set(String(pair[0]), to: String(pair[1]))
        }
        try self.limits.check()
    }

    private mutating func set(_ name: String, to value: String) throws(BadRequest) {
        if name == Self.kindKey {
            guard let kind = ModelKind(rawValue: value) else {
                let known = ModelKind.allCases.map(\.rawValue).joined(separator: ", ")
                throw BadRequest("'\(value)' is no kind of model; there are \(known)")
            }
            self.kind = kind
            return
        }
        guard let key = LimitSettings.Key(rawValue: name) else {
            throw BadRequest("a deployment has no '\(name)'; \(Self.known)")
        }
        try self.limits.set(key, to: value)
    }

    private static let known =
        "there are " + ([Self.kindKey] + LimitSettings.Key.allCases.map(\.rawValue)).joined(separator: ", ")
}
