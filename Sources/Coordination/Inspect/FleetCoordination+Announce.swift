internal import NIOCore

extension FleetCoordination {
    /// For how long what a process says of itself counts, in milliseconds: three beats.
    private static let announcementTerm = 60_000

    /// Says which configuration and version this process runs, and returns what every live process says.
    ///
    /// - Returns: `nil` while Redis does not answer.
    package func announce(hash: String, version: String) async -> [ReplicaReport]? {
        guard let coordinator = anyCoordinator else { return nil }
        let key = KeySpace.prefix(namespace) + KeySpace.announcements
        let process = LeaseID.hex(instance)
        let reply: Result<RESPReply, RedisError> = await withCheckedContinuation { continuation in
            coordinator.eventLoop.execute {
                var call = RedisScriptCall(InspectionScripts.announce)
                call.key(key)
                call.argument(process)
                call.argument("\(hash) \(version)")
                call.argument(Self.announcementTerm)
                coordinator.client.run(call, deadline: .now() + .seconds(2)) { continuation.resume(returning: $0) }
            }
        }
        guard case .success(let answer) = reply, let lines = answer.array else { return nil }
        return lines.compactMap(\.text).map { line in
            let parts = line.split(separator: " ", maxSplits: 1)
            return ReplicaReport(
                instance: parts.first.map(String.init) ?? "",
                text: parts.count > 1 ? String(parts[1]) : ""
            )
        }.sorted { $0.instance < $1.instance }
    }

    /// What operators changed last, the latest first, as `FleetInspector.note` wrote it down.
    ///
    /// - Returns: at most `mostChanges`; `nil` while Redis does not answer.
    package func changes() async -> [String]? {
        guard let coordinator = anyCoordinator else { return nil }
        let key = KeySpace.prefix(namespace) + KeySpace.changes
        let reply: Result<RESPReply, RedisError> = await withCheckedContinuation { continuation in
            coordinator.eventLoop.execute {
                let command = RESPCommand(["LRANGE", key, "0", "\(Self.mostChanges - 1)"])
                coordinator.client.upkeep(.plain(command), deadline: .now() + .seconds(2)) {
                    continuation.resume(returning: $0)
                }
            }
        }
        guard case .success(let answer) = reply else { return nil }
        return answer.array?.compactMap(\.text)
    }

    /// Changes that are looked at: more than operators make between two looks.
    private static let mostChanges = 50
}
