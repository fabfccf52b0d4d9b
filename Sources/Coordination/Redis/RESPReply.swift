/// One reply of Redis, in RESP2 (redis.io, "Redis serialization protocol specification").
package enum RESPReply: Equatable, Sendable {
    case integer(Int64)
    /// A bulk string; the bytes are whatever a script or a key holds.
    case string([UInt8])
    /// A simple string such as `OK`.
    case status([UInt8])
    /// An error as Redis words it; `RedisError(reply:)` says what it means.
    case error([UInt8])
    case array([RESPReply])
    /// A null bulk string or a null array; Redis uses them for the same thing.
    case null

    package var integer: Int64? {
        switch self {
        case .integer(let value): value
        case .string, .status, .error, .array, .null: nil
        }
    }

    package var array: [RESPReply]? {
        switch self {
        case .array(let elements): elements
        case .integer, .string, .status, .error, .null: nil
        }
    }

    /// The text of a string, a status or an error; bytes that are not UTF-8 are replaced.
    package var text: String? {
        switch self {
        case .string(let bytes), .status(let bytes), .error(let bytes): String(decoding: bytes, as: UTF8.self)
        case .integer, .array, .null: nil
        }
    }
}
