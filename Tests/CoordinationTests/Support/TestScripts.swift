@testable import Coordination

extension RedisScript {
    /// Gives its argument back.
    static let echo = RedisScript(name: "echo", text: "return ARGV[1]")
    /// Writes its argument and gives it back.
    static let write = RedisScript(name: "write", text: "redis.call('SET', KEYS[1], ARGV[1]) return ARGV[1]")
    /// Answers with numbers as the scripts of the gateway do.
    static let numbers = RedisScript(name: "numbers", text: "return {0, 1763900000123, 1, 0, 599, 99000, 0, 0, -1, 3}")
    static let mistake = RedisScript(name: "mistake", text: "return redis.call('NOSUCHCOMMAND')")
}
