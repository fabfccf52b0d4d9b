/// The scripts, as they are sent to Redis and loaded on every connection.
///
/// The text of each is put together from files in this folder, which are embedded in the binary. Redis 6.0 runs them; no text
/// depends on the configuration.
package enum Script {
    package static let admit = RedisScript(name: "admit", text: text(common, choose, PackageResources.admit_lua))
    package static let reroute = RedisScript(name: "reroute", text: text(common, choose, PackageResources.reroute_lua))
    /// Settles and cancels.
    package static let settle = RedisScript(name: "settle", text: text(common, PackageResources.settle_lua))
    package static let beat = RedisScript(name: "beat", text: text(common, PackageResources.beat_lua))

    package static let all = [admit, reroute, settle, beat]

    private static let common = PackageResources.common_lua
    private static let choose = PackageResources.choose_lua

    /// A script of operators, with the arithmetic of the others.
    static func text(_ body: String) -> String { text(common, Array(body.utf8)) }

    private static func text(_ parts: [UInt8]...) -> String { String(decoding: parts.joined(), as: UTF8.self) }
}
