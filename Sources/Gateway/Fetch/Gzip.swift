internal import CZlib

/// RFC 1952.
enum Gzip {
    /// One member that holds these bytes; `nil` where there is no memory for it.
    static func compressed(_ bytes: [UInt8]) -> [UInt8]? {
        let result = [UInt8](unsafeUninitializedCapacity: czlib_bound(bytes.count)) { room, count in
            count = bytes.withUnsafeBytes { czlib_gzip($0.baseAddress, $0.count, room.baseAddress, room.count) }
        }
        return result.isEmpty ? nil : result
    }
}
