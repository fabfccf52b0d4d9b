internal import Coordination
internal import NIOCore

/// Signing keys that replicas leave for each other in the Redis of `coordination`, so that a fleet asks Entra ID once.
///
/// Who fetches is settled by a claim in Redis; the others wait for what it brings, for a while. Whatever goes wrong, a replica
/// fetches for itself.
final class RedisKeyStore: SharedKeyStore {
    private let fleet: FleetCoordination

    /// How long a replica may take to fetch before another does so as well.
    private static let claimTime = TimeAmount.seconds(5)
    /// How long is waited for the connection to Redis, which begins when the process does, and for the other replica.
    private static let longestWait = TimeAmount.seconds(2)
    private static let pause = TimeAmount.milliseconds(50)

    init(_ fleet: FleetCoordination) { self.fleet = fleet }

    func get(_ name: String, maxAge: TimeAmount, on eventLoop: any EventLoop) -> EventLoopFuture<SharedKeys?> {
        let promise = eventLoop.makePromise(of: SharedKeys?.self)
        look(Wish(name: name, maxAge: maxAge, until: .now() + Self.longestWait, promise: promise), on: eventLoop)
        return promise.futureResult
    }

    func put(_ name: String, _ keys: SharedKeys.Documents, lifetime: TimeAmount, on eventLoop: any EventLoop) {
        let value = SharedKeysText.encode(keys, fetchedAt: LocalCoordinator.wallClock())
        // Nobody waits for it, and the next replica that finds nothing fetches for itself.
        _ = fleet.setValue(Self.value(name), to: value, lifetime: lifetime, on: eventLoop)
    }

    private static func value(_ name: String) -> String { "keys/\(name)" }
    private static func claim(_ name: String) -> String { "keys-claim/\(name)" }

    private struct Wish: Sendable {
        let name: String
        let maxAge: TimeAmount
        let until: NIODeadline
        let promise: EventLoopPromise<SharedKeys?>
    }

    private func look(_ wish: Wish, on eventLoop: any EventLoop) {
        fleet.value(Self.value(wish.name), on: eventLoop).whenComplete { result in
            switch result {
            case .success(let bytes):
                let keys = bytes.flatMap { SharedKeysText.decode($0, now: LocalCoordinator.wallClock()) }
                if let keys, keys.age <= wish.maxAge { return wish.promise.succeed(keys) }
                self.claim(wish, on: eventLoop)
            case .failure(FleetCoordination.ValueError.notConnected):
                self.again(wish, on: eventLoop)
            case .failure:
                wish.promise.succeed(nil)
            }
        }
    }

    private func claim(_ wish: Wish, on eventLoop: any EventLoop) {
        fleet.claim(Self.claim(wish.name), for: Self.claimTime, on: eventLoop).whenComplete { result in
            switch result {
            case .success(false): self.again(wish, on: eventLoop)
            case .success(true), .failure: wish.promise.succeed(nil)
            }
        }
    }

    private func again(_ wish: Wish, on eventLoop: any EventLoop) {
        guard NIODeadline.now() < wish.until else { return wish.promise.succeed(nil) }
        eventLoop.scheduleTask(in: Self.pause) { self.look(wish, on: eventLoop) }
    }
}

/// Two documents and when they were fetched, as one value: `<milliseconds since 1970> <bytes of the first>`, a line feed, both.
enum SharedKeysText {
    /// Bytes of the first line.
    private static let longestLine = 40

    /// - Parameter fetchedAt: milliseconds since 1970.
    static func encode(_ documents: SharedKeys.Documents, fetchedAt: Int64) -> [UInt8] {
        Array("\(fetchedAt) \(documents.metadata.count)\n".utf8) + documents.metadata + documents.keys
    }

    /// - Parameter now: milliseconds since 1970. Clocks of replicas may differ: what comes from the future was fetched just now.
    /// - Returns: `nil` for anything else than `encode` makes.
    static func decode(_ bytes: [UInt8], now: Int64) -> SharedKeys? {
        guard let end = bytes.prefix(longestLine).firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let words = String(decoding: bytes[..<end], as: UTF8.self).split(
            separator: " ",
            omittingEmptySubsequences: false
        )
        let rest = bytes[(end + 1)...]
        guard words.count == 2, let fetchedAt = Int64(words[0]), let length = Int(words[1]), fetchedAt >= 0,
            (0...rest.count).contains(length)
        else { return nil }
        return SharedKeys(
            documents: .init(metadata: Array(rest.prefix(length)), keys: Array(rest.dropFirst(length))),
            age: .milliseconds(max(0, now - fetchedAt))
        )
    }
}
