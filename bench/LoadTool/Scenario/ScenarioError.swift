/// Why a load cannot be started, in one sentence for a person. Exit status 2, before any request.
struct ScenarioError: Error, Equatable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
