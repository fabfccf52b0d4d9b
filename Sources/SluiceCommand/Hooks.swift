internal import Gateway

/// The hooks of this build, in the order in which they are asked: docs/hooks.md says how to write one.
enum Hooks {
    static let registered: [any ExchangeHook] = []
}
