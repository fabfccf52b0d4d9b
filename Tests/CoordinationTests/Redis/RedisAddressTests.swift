import Testing

@testable import Coordination

@Suite struct RedisAddressTests {
    @Test(arguments: [
        ("redis://localhost", RedisAddress(host: "localhost")),
        ("redis://10.0.0.4:7000/2", RedisAddress(host: "10.0.0.4", port: 7000, database: 2)),
        ("REDISS://a.redis.azure.net:10000/", RedisAddress(host: "a.redis.azure.net", port: 10_000, usesTLS: true)),
        ("redis://[::1]:1", RedisAddress(host: "::1", port: 1)),
        ("rediss://[::1]", RedisAddress(host: "::1", usesTLS: true)),
    ])
    func reads(url: String, address: RedisAddress) throws { #expect(try RedisAddress(url: url) == address) }

    @Test(arguments: [
        "", "localhost:6379", "http://localhost", "redis://", "redis://:6379", "redis://a:0", "redis://a:65536",
        "redis://a:x", "redis://a:-1", "redis://a:", "redis://user:secret@a", "redis://a/x", "redis://a/1/2",
        "redis://a b", "redis://[::1]x", "redis://a/-1", "redis://a/99999",
    ])
    func refuses(url: String) {
        let problem = #expect(throws: RedisAddress.Problem.self) { try RedisAddress(url: url) }
        #expect(problem?.description.contains("secret") == false)
    }

    @Test func describesItself() {
        #expect(RedisAddress(host: "::1", port: 1, usesTLS: true, database: 4).description == "rediss://[::1]:1/4")
        #expect(RedisCredentials(user: "app", password: "hidden").description == "app")
        #expect(!"\(RedisCredentials(password: "hidden"))".contains("hidden"))
    }
}
