internal import NIOConcurrencyHelpers
package import NIOCore

/// Who made a thing that lives on one Azure resource, such as a stored response or a file, and where it is.
package struct ResourceOwner: Sendable, Hashable {
    /// The client's name.
    package let client: String
    /// The endpoint's name.
    package let endpoint: String

    package init(client: String, endpoint: String) {
        self.client = client
        self.endpoint = endpoint
    }
}

package enum ResourceOwnerAnswer: Sendable, Hashable {
    case owner(ResourceOwner)
    /// Nobody here has seen it, or too long ago.
    case unknown
    /// Redis could not be asked.
    case unavailable
}

/// Remembers where things are that live on one Azure resource: in Redis for all replicas, and the newest ones here.
///
/// One for all event loops of a process; the lock guards a value. Without Redis what is here is all there is.
package final class ResourceOwners: Sendable {
    /// That many are remembered in a process; a random one makes way for another.
    package static let mostHere = 65_536
    /// Bytes of an id; longer ones are not remembered. Azure's have less than 80.
    package static let longestID = 256

    private let here = NIOLockedValueBox<[String: ResourceOwner]>([:])
    private let fleet: FleetCoordination?

    package init(_ fleet: FleetCoordination?) { self.fleet = fleet }

    /// How many are remembered here.
    package var count: Int { here.withLockedValue { $0.count } }

    /// - Parameter term: milliseconds to keep it in Redis.
    package func remember(_ id: String, _ owner: ResourceOwner, term: Int64, on eventLoop: any EventLoop) {
        guard Self.isID(id) else { return }
        keep(id, owner)
        // Nobody waits for it. Where it does not arrive, this replica knows.
        fleet?.coordinator(ofLoop: eventLoop)?.remember(id, owner, term: term)
    }

    /// - Parameter then: called once, on the event loop; before this method returns where the answer is here.
    package func find(_ id: String, on eventLoop: any EventLoop, then: @escaping (ResourceOwnerAnswer) -> Void) {
        guard Self.isID(id) else { return then(.unknown) }
        if let owner = here.withLockedValue({ $0[id] }) { return then(.owner(owner)) }
        guard let coordinator = fleet?.coordinator(ofLoop: eventLoop) else { return then(.unknown) }
        coordinator.find(id) { answer in
            if case .owner(let owner) = answer { self.keep(id, owner) }
            then(answer)
        }
    }

    private func keep(_ id: String, _ owner: ResourceOwner) {
        here.withLockedValue { here in
            if here.count >= Self.mostHere, here[id] == nil, let other = here.keys.randomElement() { here[other] = nil }
            here[id] = owner
        }
    }

    private static func isID(_ id: String) -> Bool { 1...longestID ~= id.utf8.count }
}

extension FleetCoordination {
    fileprivate func coordinator(ofLoop eventLoop: any EventLoop) -> RedisCoordinator? {
        everyCoordinator.first { $0.eventLoop === eventLoop }
    }
}

extension RedisCoordinator {
    fileprivate func remember(_ id: String, _ owner: ResourceOwner, term: Int64) {
        let value = "\(escaped(owner.client))/\(escaped(owner.endpoint))"
        ask(RESPCommand(["SET", encoder.keys.owner + escaped(id), value, "PX", "\(term)"])) { _ in }
    }

    fileprivate func find(_ id: String, then: @escaping (ResourceOwnerAnswer) -> Void) {
        ask(RESPCommand(["GET", encoder.keys.owner + escaped(id)])) { reply in
            switch reply {
            case nil: then(.unavailable)
            case .null?: then(.unknown)
            case let reply?: then(ResourceOwner(stored: reply).map { .owner($0) } ?? .unavailable)
            }
        }
    }
}

extension ResourceOwner {
    /// As `remember` writes it; an escaped name has no slash of its own.
    fileprivate init?(stored reply: RESPReply) {
        let parts = reply.text?.split(separator: "/", omittingEmptySubsequences: false) ?? []
        guard parts.count == 2, let client = unescaped(parts[0]), let endpoint = unescaped(parts[1]) else { return nil }
        self.init(client: client, endpoint: endpoint)
    }
}

/// What `escaped` made of a name; `nil` for anything else.
private func unescaped(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "%") else {
            bytes.append(byte)
            continue
        }
        guard let digits = String(rest.prefix(2)), let value = UInt8(digits, radix: 16), digits.utf8.count == 2 else {
            return nil
        }
        bytes.append(value)
        rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
}
