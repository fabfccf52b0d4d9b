import NIOCore
import Testing
import TokenMill

@testable import Gateway

@Suite("Signing keys as replicas leave them in Redis")
struct SharedKeysTextTests {
    private static let documents = SharedKeys.Documents(metadata: Array("{\"a\":1}\n".utf8), keys: [0, 10, 255])

    @Test("are read as they were written, with their age")
    func roundTrip() throws {
        let bytes = SharedKeysText.encode(Self.documents, fetchedAt: 1_000_000)
        let keys = try #require(SharedKeysText.decode(bytes, now: 1_060_000))
        #expect(keys.documents.metadata == Self.documents.metadata)
        #expect(keys.documents.keys == Self.documents.keys)
        #expect(keys.age == .seconds(60))
        #expect(SharedKeysText.decode(bytes, now: 0)?.age == .zero, "another replica's clock may be ahead")
    }

    @Test(
        "are nothing where anything else stands",
        arguments: [
            "", "\n", " \n", "1\n", "1 \n", "x 0\n", "1 x\n", "-1 0\n", "1 -1\n", "1 2\na", "1 0 0\n", "1  0\n",
            "99999999999999999999 0\n", "1 99999999999999999999\n", String(repeating: "1", count: 100) + " 0\n",
        ]
    )
    func nonsense(text: String) {
        #expect(SharedKeysText.decode(Array(text.utf8), now: 5) == nil)
    }
}

@Suite("The user of a token for Redis")
struct RedisTokenUserTests {
    @Test("is the object id in it")
    func objectID() {
        #expect(RedisToken.objectID(in: TokenDraft.application.signed()) == TokenDraft.Known.principal)
    }

    @Test("is nobody for what is no token, or has none")
    func nobody() {
        #expect(RedisToken.objectID(in: TokenDraft.application.without("oid").signed()) == nil)
        for text in ["", "opaque", "a.b.c", "..", "e30.e30.e30"] { #expect(RedisToken.objectID(in: text) == nil) }
    }
}

@Suite("A caller's address in the log")
struct CallerAddressTextTests {
    @Test(
        "is an IPv4 address, or the network of an IPv6 address",
        arguments: [
            ("192.0.2.7", "192.0.2.7"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
            ("::ffff:192.0.2.7", "192.0.2.7"), ("2001:db8:0:1:2:3:4:5", "2001:db8:0:1::/64"), ("::1", "0:0:0:0::/64"),
            ("fe80::1", "fe80:0:0:0::/64"),
        ]
    )
    func text(address: String, expected: String) throws {
        var bytes: [UInt8] = []
        try #require(CallerAddress(address)).write(to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
    }

    @Test("is that of the socket's other end", arguments: ["192.0.2.7", "2001:db8:0:1:2:3:4:5", "::ffff:192.0.2.7"])
    func peer(address: String) throws {
        let socket = try SocketAddress(ipAddress: address, port: 80)
        let local = try SocketAddress(unixDomainSocketPath: "/s")
        #expect(CallerAddress(socket) == CallerAddress(address))
        #expect(CallerAddress(local) == nil)
        #expect(CallerAddress(nil as SocketAddress?) == nil)
    }
}
