import Testing

@testable import Gateway

@Suite("The small languages of the configuration")
struct ConfigurationSyntaxTests {
    @Test(
        "durations are a whole number and a unit, and are written with the largest unit that fits",
        arguments: [
            ("75ms", Duration.milliseconds(75), "75ms"), ("5s", .seconds(5), "5s"), ("2m", .seconds(120), "2m"),
            ("1h", .seconds(3_600), "1h"), ("0h", .zero, "0s"), ("90s", .seconds(90), "90s"),
            ("60s", .seconds(60), "1m"), ("007ms", .milliseconds(7), "7ms"), ("1000ms", .seconds(1), "1s"),
        ]
    )
    func durations(text: String, duration: Duration, written: String) throws {
        #expect(try DurationSyntax.parse(text) == duration)
        #expect(DurationSyntax.text(duration) == written)
    }

    @Test(
        "durations are nothing else",
        arguments: ["", "5", "s", "5 s", "5S", "1m30s", "1.5s", "+5s", "5\u{301}s", "\u{665}s"]
    )
    func noDurations(text: String) {
        #expect(throws: BadValue.self) { try DurationSyntax.parse(text) }
    }

    @Test("durations and numbers saturate instead of overflowing")
    func saturation() throws {
        #expect(try DurationSyntax.parse("9223372036854775807h") == .milliseconds(Int.max))
        #expect(try DurationSyntax.parse(String(repeating: "9", count: 1_000) + "ms") == .milliseconds(Int.max))
        #expect(try QuantitySyntax.count.parse("9223372036854775807.9k") == Int.max)
        #expect(try QuantitySyntax.bytes.parse("8589934592G") == Int.max)
        #expect(try QuantitySyntax.bytes.parse("8589934591.5G") == Int.max - 536_870_911)
    }

    @Test(
        "counts go by thousands and bytes by 1,024",
        arguments: [
            ("100", 100, 100), ("20k", 20_000, 20_480), ("1.5M", 1_500_000, 1_572_864),
            ("2G", 2_000_000_000, 2_147_483_648), ("0", 0, 0), ("3.0", 3, 3), ("0.5k", 500, 512),
        ]
    )
    func quantities(text: String, count: Int, bytes: Int) throws {
        #expect(try QuantitySyntax.count.parse(text) == count)
        #expect(try QuantitySyntax.bytes.parse(text) == bytes)
    }

    @Test(
        "numbers are nothing else",
        arguments: ["", "k", ".5k", "1.", "1.k", "-1", "+1", "1K", "1e3", "1_000", "0x10", "1.0005k", "½"]
    )
    func noQuantities(text: String) {
        #expect(throws: BadValue.self) { try QuantitySyntax.count.parse(text) }
    }

    @Test("numbers are written as people write them")
    func writtenQuantities() {
        #expect([0, 999, 1_000, 1_234_567].map(QuantitySyntax.count.text) == ["0", "999", "1,000", "1,234,567"])
        #expect([0, 256, 1_024, 65_536, 1 << 30].map(QuantitySyntax.bytes.text) == ["0", "256", "1k", "64k", "1G"])
    }

    @Test(
        "addresses are a host and a port",
        arguments: [
            ("0.0.0.0:8080", "0.0.0.0", 8080), ("[::1]:0", "::1", 0),
            ("my-host.internal:65535", "my-host.internal", 65_535), ("[::ffff:10.0.0.1]:80", "::ffff:10.0.0.1", 80),
        ]
    )
    func addresses(text: String, host: String, port: Int) throws {
        let address = try #require(ListenAddress(text))
        #expect(address == ListenAddress(host: host, port: port))
        #expect(address.description == text)
    }

    @Test(
        "addresses are nothing else",
        arguments: [
            "", ":", ":80", "host", "host:", "host:x", "host:-1", "host:65536", "host:000080", "[::1]", "[::1]80",
            "[::1:80", "[1.2.3.4]:80", "::1:80", "1.2.3:80", "1.2.3.256:80", "-a:80", "a..b:80", "a b:80", "höst:80",
            "a\0b:80",
        ]
    )
    func noAddresses(text: String) {
        #expect(ListenAddress(text) == nil)
    }

    @Test("URLs are an origin, in lower case and without its slash")
    func urls() throws {
        let url = try EndpointURL.parse("https://Sweden.OpenAI.azure.com/")
        #expect(url.description == "https://sweden.openai.azure.com")
        #expect(try EndpointURL.parse("HTTP://[::1]:8000") == EndpointURL(scheme: .http, host: "::1", port: 8000))
        #expect(try EndpointURL.parse("http://[::1]:8000").authority == "[::1]:8000")
        #expect(try EndpointURL.parse("https://10.0.0.1").authority == "10.0.0.1")
    }

    @Test("the nearest name is the one with the fewest slips, if they are few")
    func nearestName() {
        let known = ["listen", "admin", "tls", "server", "clients", "endpoints", "models", "log"]
        #expect(NearestName.of("lisetn", among: known) == "listen")
        #expect(NearestName.of("client", among: known) == "clients")
        #expect(NearestName.of("endpionts", among: known) == "endpoints")
        #expect(NearestName.of("lgo", among: known) == "log")
        #expect(NearestName.of("coordination", among: known) == nil)
        #expect(NearestName.of("", among: known) == nil)
        #expect(NearestName.of("x", among: []) == nil)
        #expect(NearestName.of(String(repeating: "x", count: 100_000), among: known) == nil)
    }
}
