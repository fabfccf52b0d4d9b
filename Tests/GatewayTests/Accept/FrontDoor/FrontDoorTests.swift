import NIOHTTP1
import Testing

@testable import Gateway

@Suite("A request from Front Door")
struct FrontDoorTests {
    static let id = "dddddddd-0000-0000-0000-000000000001"
    static let other = "dddddddd-0000-0000-0000-000000000002"
    static let door = FrontDoor(ids: [GUID(id)!, GUID(other)!])

    private func judge(_ headers: [(String, String)], isHealthPath: Bool = false) -> FrontDoor.Verdict {
        Self.door.judge(HTTPHeaders(headers), isHealthPath: isHealthPath)
    }

    @Test("passes with any of the ids, in any case", arguments: [id, other, id.uppercased()])
    func passed(id: String) {
        let verdict = judge([
            ("Host", "x"), ("x-azure-fdid", id), ("X-Azure-SocketIP", "192.0.2.1"),
            ("X-Azure-ClientIP", "198.51.100.1"),
            ("X-Azure-Ref", "0abc+/=="), ("X-Forwarded-For", "203.0.113.1"),
        ])
        let origin = FrontDoor.Origin(address: CallerAddress("192.0.2.1"), reference: "0abc+/==")
        #expect(verdict == .passed(origin))
    }

    @Test(
        "is refused without an id, with another, or with two",
        arguments: [
            [], [""], ["dddddddd-0000-0000-0000-000000000003"], [id + "0"], [String(id.dropLast())], [" " + id],
            ["{\(id)}"],
            [id, id], [id, other], [id, "x"], ["x", id], ["\(id),\(id)"],
        ]
    )
    func refused(ids: [String]) {
        let verdict = judge(ids.map { ("X-Azure-FDID", $0) } + [("X-Azure-SocketIP", "192.0.2.1")])
        #expect(verdict == .refused(.notThroughFrontDoor))
        #expect(GatewayError.notThroughFrontDoor.status == 403)
    }

    @Test("is believed nothing when it is a probe past Front Door")
    func probe() {
        #expect(judge([], isHealthPath: true) == .probe)
        #expect(judge([("X-Azure-FDID", "wrong"), ("X-Azure-SocketIP", "192.0.2.1")], isHealthPath: true) == .probe)
    }

    @Test(
        "may have an address or a reference that is none",
        arguments: ["", "x", "192.0.2.1:80", "999.1.1.1", "192.0.2.1, 1.2.3.4"]
    )
    func address(text: String) {
        #expect(judge([("X-Azure-FDID", Self.id), ("X-Azure-SocketIP", text)]) == .passed(FrontDoor.Origin()))
    }

    @Test("has no address when it has two")
    func twoAddresses() {
        let verdict = judge([
            ("X-Azure-FDID", Self.id), ("X-Azure-SocketIP", "192.0.2.1"), ("X-Azure-SocketIP", "192.0.2.2"),
        ])
        #expect(verdict == .passed(FrontDoor.Origin()))
    }

    @Test("has a reference of visible characters, and not too many")
    func reference() {
        func reference(_ text: String) -> String? {
            guard case .passed(let origin) = judge([("X-Azure-FDID", Self.id), ("X-Azure-Ref", text)]) else {
                return "refused"
            }
            return origin.reference
        }
        #expect(reference("abc def") == "abc")
        #expect(reference("") == nil)
        #expect(reference("\u{E9}") == nil)
        #expect(reference(String(repeating: "r", count: 1000))?.utf8.count == 128)
    }
}
