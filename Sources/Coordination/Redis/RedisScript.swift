internal import COpenSSL
internal import NIOCore

/// A Lua script that Redis runs by its digest: constant text, loaded on every connection before anything else.
///
/// Values travel as arguments, never in the text: Redis keeps every text it has seen (redis.io, "Scripting with Lua").
package final class RedisScript: Sendable {
    /// For log lines and metrics.
    package let name: String
    package let text: String
    /// SHA-1 of the text in lowercase hex, which is how Redis names it.
    package let digest: String
    /// `EVALSHA <digest>` as two encoded arguments.
    let byDigest: ByteBuffer
    /// `EVAL <text>` as two encoded arguments, for a server that does not know the digest.
    let byText: ByteBuffer

    package init(name: String, text: String) {
        self.name = name
        self.text = text
        digest = Self.sha1(text)
        var encoded = ByteBuffer()
        encoded.writeRESP(string: "EVALSHA")
        encoded.writeRESP(string: digest)
        byDigest = encoded
        encoded = ByteBuffer()
        encoded.writeRESP(string: "EVAL")
        encoded.writeRESP(string: text)
        byText = encoded
    }

    /// Does nothing, and proves that scripts run.
    static let probe = RedisScript(name: "probe", text: "return 1")

    private static func sha1(_ text: String) -> String {
        let digits: [Character] = Array("0123456789abcdef")
        var text = text
        var digest = [UInt8](repeating: 0, count: Int(SHA_DIGEST_LENGTH))
        text.withUTF8 { bytes in _ = SHA1(bytes.baseAddress, bytes.count, &digest) }
        return String(digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
