import NIOCore
import Testing

@testable import Gateway

@Suite("Failed authentications")
struct AuthenticationFailuresTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private static let address = CallerAddress("192.0.2.1")!
    private static let limit = AuthenticationFailures.Limit(count: 3, window: .seconds(60))

    private static func at(_ seconds: Double) -> NIODeadline { start + .nanoseconds(Int64(seconds * 1_000_000_000)) }

    @Test("are allowed up to the limit, then refused for the rest of the window, with the time it takes")
    func limit() {
        var failures = AuthenticationFailures(limit: Self.limit)
        for number in 0..<3 {
            #expect(failures.refusal(of: Self.address, now: Self.at(Double(number))) == nil)
            failures.failed(Self.address, now: Self.at(Double(number)))
        }
        let refusal = failures.refusal(of: Self.address, now: Self.at(10))
        #expect(refusal?.status == 429)
        #expect(refusal?.retryAfterSeconds == 50)
        #expect(failures.refusal(of: Self.address, now: Self.at(59.5))?.retryAfterSeconds == 1)
        #expect(failures.refusal(of: Self.address, now: Self.at(60)) == nil)
        #expect(failures.addressCount == 0)
        failures.failed(Self.address, now: Self.at(61))
        #expect(failures.refusal(of: Self.address, now: Self.at(61)) == nil)
    }

    @Test("count anew in a new window")
    func window() {
        var failures = AuthenticationFailures(limit: Self.limit)
        for second in [0.0, 1, 60, 61] { failures.failed(Self.address, now: Self.at(second)) }
        #expect(failures.refusal(of: Self.address, now: Self.at(62)) == nil)
        failures.failed(Self.address, now: Self.at(63))
        #expect(failures.refusal(of: Self.address, now: Self.at(64)) != nil)
    }

    @Test("of one address say nothing of another, unless it is the same network of IPv6")
    func others() {
        var failures = AuthenticationFailures(limit: Self.limit)
        let six = CallerAddress("2001:db8:1:2::1")!
        for _ in 0..<3 {
            failures.failed(Self.address, now: Self.start)
            failures.failed(six, now: Self.start)
        }
        #expect(failures.refusal(of: CallerAddress("192.0.2.2")!, now: Self.start) == nil)
        #expect(failures.refusal(of: CallerAddress("::ffff:192.0.2.1")!, now: Self.start) != nil)
        #expect(failures.refusal(of: CallerAddress("2001:db8:1:2:ffff::9")!, now: Self.start) != nil)
        #expect(failures.refusal(of: CallerAddress("2001:db8:1:3::1")!, now: Self.start) == nil)
    }

    @Test("are remembered for a bounded number of addresses, and the worst of them longest")
    func bound() {
        var failures = AuthenticationFailures(limit: Self.limit)
        for _ in 0..<3 { failures.failed(Self.address, now: Self.start) }
        for number in UInt32(0)..<100_000 { failures.failed(CallerAddress(ipv4: number << 8), now: Self.start) }
        #expect(failures.addressCount <= AuthenticationFailures.maxAddresses)
        #expect(failures.refusal(of: Self.address, now: Self.start) != nil)
    }

    @Test(
        "know an address by its text",
        arguments: ["", "x", "1.2.3", "1.2.3.4.5", "[::1]", "::1%eth0", "1.2.3.4 ", "1.2.3.4\0"]
    )
    func noAddress(text: String) { #expect(CallerAddress(text) == nil) }
}
