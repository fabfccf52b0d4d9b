internal import NIOCore

/// The names of the keys in Redis.
///
/// All carry the same hash tag, as one script touches several of them, and the version of what they hold: a build that
/// stores something else starts afresh beside the old one, and loses a minute of state.
///
/// | key | holds |
/// |---|---|
/// | `{p}:v1:c:<scope>` | 7 integers of 8 bytes, little endian: time, requests, tokens, day, its tokens, month, its tokens |
/// | `{p}:v1:cl:<scope>` | slots, a sorted set of leases by the time they run out |
/// | `{p}:v1:d:<deployment>` | 6 integers: time, requests, tokens, cool until, streak, probed until; 2 more where it has named a limit of tokens itself: that, until |
/// | `{p}:v1:dl:<deployment>` | slots |
/// | `{p}:v1:l:<lease>` | 2 integers: charged at, on trial since or 0; then the deployment's key. Empty: ended |
/// | `{p}:v1:u:<yyyymmdd>:<client>` | a hash of counters, `<model>/<deployment>:req` and others |
/// | `{p}:v1:o:<id>` | `<client>/<endpoint>` that made a response, a file and the like |
/// | `{p}:v1:v:<name>` | what a replica has left for the others, such as signing keys |
/// | `{p}:v1:inst` | processes by the time that they count as dead |
package struct KeySpace: Hashable, Sendable {
    let scope: String
    let scopeSlots: String
    let deployment: String
    let deploymentSlots: String
    let lease: String
    let usage: String
    let instances: String
    let owner: String
    let value: String

    /// - Parameter namespace: the hash tag; deployments of the gateway that share a Redis and nothing else differ in it.
    package init(namespace: String = "0") {
        let prefix = "{\(escaped(namespace))}:v1:"
        scope = prefix + "c:"
        scopeSlots = prefix + "cl:"
        deployment = prefix + "d:"
        deploymentSlots = prefix + "dl:"
        lease = prefix + "l:"
        usage = prefix + "u:"
        instances = prefix + "inst"
        owner = prefix + "o:"
        value = prefix + "v:"
    }
}

extension RedisScriptCall {
    mutating func key(_ prefix: String, _ name: String) {
        key(prefix, bytes: name.utf8.count) { $0.writeString(name) }
    }

    /// As `LeaseID.description`.
    mutating func lease(_ keys: KeySpace, _ lease: LeaseID) {
        let bytes = 10 + ByteBuffer.digits(of: UInt64(lease.start)) + ByteBuffer.digits(of: lease.sequence)
        key(keys.lease, bytes: bytes) {
            $0.writeHex(lease.instance)
            $0.writeInteger(UInt8(ascii: "."))
            $0.writeDecimal(UInt64(lease.start))
            $0.writeInteger(UInt8(ascii: "."))
            $0.writeDecimal(lease.sequence)
        }
    }

    mutating func usageKey(_ keys: KeySpace, _ usage: Usage) {
        let (day, name) = (UInt64(usage.day.magnitude), usage.client.name)
        key(keys.usage, bytes: ByteBuffer.digits(of: day) + 1 + name.utf8.count) {
            $0.writeDecimal(day)
            $0.writeInteger(UInt8(ascii: ":"))
            $0.writeString(name)
        }
    }

    /// The field of a count in a hash of usage.
    mutating func field(_ deployment: String, _ count: StaticString) {
        argument(bytes: deployment.utf8.count + 1 + count.utf8CodeUnitCount) {
            $0.writeString(deployment)
            $0.writeInteger(UInt8(ascii: ":"))
            $0.writeStaticString(count)
        }
    }

    mutating func states(_ keys: KeySpace, _ scopes: [ClientScope], _ candidates: [Candidate]) {
        for scope in scopes { key(keys.scope, scope.id.name) }
        for candidate in candidates { key(keys.deployment, candidate.id.name) }
    }

    mutating func slots(_ keys: KeySpace, _ scopes: [ClientScope], _ candidates: [Candidate]) {
        for scope in scopes where scope.limits.concurrency != nil { key(keys.scopeSlots, scope.id.name) }
        for candidate in candidates where candidate.limits.concurrency != nil {
            key(keys.deploymentSlots, candidate.id.name)
        }
    }

    /// Integers of 8 bytes, as the scripts unpack them.
    mutating func argument(integers count: Int, _ write: (inout ByteBuffer) -> Void) {
        argument(bytes: 8 * count, write)
    }
}

extension ByteBuffer {
    static func digits(of value: UInt64) -> Int {
        var (rest, count) = (value / 10, 1)
        while rest > 0 {
            rest /= 10
            count += 1
        }
        return count
    }

    mutating func writeDecimal(_ value: UInt64) {
        let count = Self.digits(of: value)
        writeWithUnsafeMutableBytes(minimumWritableBytes: count) { target in
            var rest = value
            for index in stride(from: count - 1, through: 0, by: -1) {
                target[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            return count
        }
    }

    /// Eight digits.
    mutating func writeHex(_ value: UInt32) {
        for shift in stride(from: 28, through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: value >> UInt32(shift)) & 15
            writeInteger(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }

    mutating func write(_ integers: Int64...) {
        for integer in integers { writeInteger(integer, endianness: .little) }
    }

    /// Refill and capacity; zeros for no limit.
    mutating func write(_ rate: Rate?) {
        guard let rate else { return write(0, 0) }
        let bucket = Bucket(rate)
        write(bucket.refill, bucket.capacity)
    }

    /// `ClientLimits.width` integers.
    mutating func write(_ limits: ClientLimits) {
        write(limits.requests)
        write(limits.tokens)
        write(limits.concurrency ?? 0, limits.tokensPerDay ?? 0, limits.tokensPerMonth ?? 0)
    }

    /// `DeploymentLimits.width` integers.
    mutating func write(_ limits: DeploymentLimits) {
        write(limits.requests)
        write(limits.tokens)
        write(limits.concurrency ?? 0)
    }

    /// `Candidate.width` integers.
    mutating func write(_ candidate: Candidate) {
        write(candidate.limits)
        write((candidate.isProbed ? 1 : 0) + (candidate.limits.isShadow ? 2 : 0))
    }

    /// Three integers.
    mutating func write(_ feedback: Feedback) {
        write(feedback.requests ?? -1, feedback.tokens ?? -1, feedback.tokenLimit ?? -1)
    }
}

extension ClientLimits {
    static let width = 7
}

extension DeploymentLimits {
    static let width = 5
}

extension Candidate {
    static let width = 6
}
