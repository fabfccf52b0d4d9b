import NIOCore

@testable import Coordination

/// What is remembered, in a form that Redis's keys and the machine's values both come down to.
enum StoredValue: Hashable {
    case integers([Int64])
    case lease([Int64], home: String)
    case slots([String: Int64])
    case counts([String: Int64])
}

extension LimiterState {
    /// Under the keys that Redis would have.
    func stored(_ keys: KeySpace) -> [String: StoredValue] {
        var stored: [String: StoredValue] = [:]
        for (id, state) in scopes {
            let meter = state.meter
            stored[keys.scope + id.name] = .integers([
                meter.stamp, meter.requests, meter.tokens, state.day, state.dayUsed, state.month, state.monthUsed,
            ])
        }
        for (id, state) in deployments {
            let meter = state.meter
            stored[keys.deployment + id.name] = .integers(
                [meter.stamp, meter.requests, meter.tokens, state.cool, state.streak, state.probe]
                    + (state.live > 0 ? [state.live, state.liveUntil] : [])
            )
        }
        for (id, state) in leases {
            switch state.phase {
            case .ended: stored[keys.lease + id.description] = .lease([], home: "")
            case .held(let charged, let trial, let home):
                stored[keys.lease + id.description] =
                    .lease([charged, trial], home: home.map { keys.deployment + $0.name } ?? "")
            }
        }
        func add(_ slots: Slots, _ key: String) {
            guard slots.count > 0 else { return }
            stored[key] = .slots(
                Dictionary(uniqueKeysWithValues: slots.members.map { (keys.lease + $0.description, $1) })
            )
        }
        for (id, slots) in scopeSlots { add(slots, keys.scopeSlots + id.name) }
        for (id, slots) in deploymentSlots { add(slots, keys.deploymentSlots + id.name) }
        for (key, state) in usage where !state.counts.isEmpty {
            stored["\(keys.usage)\(key.day):\(key.client.name)"] = .counts(state.counts)
        }
        if !instances.isEmpty {
            stored[keys.instances] = .slots(
                Dictionary(uniqueKeysWithValues: instances.map { (LeaseID.hex($0), $1) })
            )
        }
        return stored
    }
}

extension ScriptServer {
    /// Everything in Redis but the test's clock.
    func stored() throws -> [String: StoredValue] {
        add("KEYS", "*")
        let keys = try send()[0].array?.compactMap(\.text).filter { $0 != "clock" } ?? []
        let space = encoder.keys
        for key in keys {
            if key.hasPrefix(space.scopeSlots) || key.hasPrefix(space.deploymentSlots) || key == space.instances {
                add("ZRANGE", key, "0", "-1", "WITHSCORES")
            } else if key.hasPrefix(space.usage) {
                add("HGETALL", key)
            } else {
                add("GET", key)
            }
        }
        var stored: [String: StoredValue] = [:]
        for (key, reply) in zip(keys, try send()) { stored[key] = StoredValue(key, reply, space) }
        return stored
    }

    /// How long Redis will keep each of the keys, in milliseconds; negative for ever.
    func lifetimes(_ keys: [String]) throws -> [String: Int64] {
        for key in keys { add("PTTL", key) }
        let replies = try send()
        return Dictionary(uniqueKeysWithValues: zip(keys, replies.map { $0.integer ?? -3 }))
    }
}

extension StoredValue {
    fileprivate init?(_ key: String, _ reply: RESPReply, _ space: KeySpace) {
        switch reply {
        case .array(let elements):
            var values: [String: Int64] = [:]
            for index in stride(from: 0, to: elements.count - 1, by: 2) {
                values[elements[index].text ?? ""] = elements[index + 1].text.flatMap { Int64($0) }
            }
            self = key.hasPrefix(space.usage) ? .counts(values) : .slots(values)
        case .string(let bytes):
            let isLease = key.hasPrefix(space.lease)
            let numbers = isLease ? bytes.prefix(16) : bytes[...]
            var buffer = ByteBuffer(bytes: numbers)
            var integers: [Int64] = []
            while let integer = buffer.readInteger(endianness: .little, as: Int64.self) { integers.append(integer) }
            guard buffer.readableBytes == 0 else { return nil }
            self =
                isLease
                ? .lease(integers, home: String(decoding: bytes.dropFirst(16), as: UTF8.self)) : .integers(integers)
        case .integer, .status, .error, .null:
            return nil
        }
    }
}
