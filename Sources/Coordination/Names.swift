/// Names one admission for as long as anything about it is remembered: the witness that makes settling idempotent.
///
/// Unique without asking Redis: the instance is drawn at random when the process starts, the start tells apart two processes
/// that drew the same, and the sequence counts within the process. A lease is used for one admission; starting over takes a
/// new one.
package struct LeaseID: Hashable, Sendable {
    package let instance: UInt32
    /// Seconds since 1970 at which the process started.
    package let start: UInt32
    package let sequence: UInt64

    package init(instance: UInt32, start: UInt32, sequence: UInt64) {
        self.instance = instance
        self.start = start
        self.sequence = sequence
    }
}

extension LeaseID: CustomStringConvertible {
    package var description: String { "\(Self.hex(instance)).\(start).\(sequence)" }

    /// Eight digits.
    static func hex(_ instance: UInt32) -> String {
        let digits = String(instance, radix: 16)
        return String(repeating: "0", count: 8 - digits.utf8.count) + digits
    }
}

/// What one set of client limits is kept under: a client, or a client with one model.
package struct ScopeID: Hashable, Sendable {
    /// Escaped: safe as a part of a key.
    package let name: String

    package init(client: String) { name = escaped(client) }

    /// Whether it is of a client with one model; an escaped name has no slash of its own.
    package var isOfModel: Bool { name.utf8.contains(UInt8(ascii: "/")) }

    package init(client: String, model: String) { name = "\(escaped(client))/\(escaped(model))" }
}

/// A deployment at one Azure OpenAI resource.
package struct DeploymentID: Hashable, Sendable {
    /// Escaped: safe as a part of a key and of a field.
    package let name: String

    package init(endpoint: String, deployment: String) { name = "\(escaped(endpoint))/\(escaped(deployment))" }
}

/// Percent-encodes everything but RFC 3986's unreserved characters. A brace would change the hash tag of a key, and a slash or
/// a colon could make two names one.
func escaped(_ name: String) -> String {
    var result = ""
    result.reserveCapacity(name.utf8.count)
    for byte in name.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            result.unicodeScalars.append(Unicode.Scalar(byte))
        default:
            let hex = String(byte, radix: 16, uppercase: true)
            result += hex.utf8.count == 1 ? "%0\(hex)" : "%\(hex)"
        }
    }
    return result
}
