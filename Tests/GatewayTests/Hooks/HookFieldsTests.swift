import Testing

@testable import Gateway

@Suite("Header fields of hooks")
struct HookFieldsTests {
    @Test("are added, and the last of a name counts")
    func added() throws {
        var fields = HookFields()
        try fields.add(request: [HookField("x-a", "1"), HookField("x-b", "2")], answer: [HookField("x-c", "3")])
        try fields.add(request: [HookField("X-A", "4")], answer: [])
        #expect(fields.request == [HookField("x-b", "2"), HookField("X-A", "4")])
        #expect(fields.answer == [HookField("x-c", "3")])
        #expect(fields.request.value(of: "x-A") == "4")
        #expect(fields.request.value(of: "x-c") == nil)
    }

    @Test(
        "are refused where they are no fields, or would break or forge what the gateway says",
        arguments: [
            HookField("", "a"), HookField("x y", "a"), HookField("x:", "a"), HookField("x-a", "a\r\nx-b: c"),
            HookField("x-a", "a\0"), HookField("x-a", String(repeating: "a", count: 1025)),
            HookField(String(repeating: "a", count: 65), "a"), HookField("Content-Length", "1"),
            HookField("transfer-encoding", "chunked"), HookField("x-sluice-deployment", "a"),
            HookField("X-RateLimit-Remaining-Tokens", "1"), HookField("content-type", "a/b"),
        ]
    )
    func refused(field: HookField) {
        for (request, answer) in [([field], []), ([], [field])] {
            var fields = HookFields()
            #expect(throws: HookFields.Problem.self) { try fields.add(request: request, answer: answer) }
            #expect(fields == HookFields())
        }
    }

    @Test("cannot be credentials for Azure", arguments: ["api-key", "Authorization", "Host", "Cookie"])
    func credentials(name: String) {
        var fields = HookFields()
        #expect(throws: HookFields.Problem.self) { try fields.add(request: [HookField(name, "a")], answer: []) }
    }

    @Test("are bounded in number")
    func many() {
        var fields = HookFields()
        let many = (0...HookFields.mostFields).map { HookField("x-\($0)", "a") }
        #expect(throws: Never.self) { try fields.add(request: Array(many.dropLast()), answer: []) }
        #expect(throws: HookFields.Problem.self) { try fields.add(request: [many.last!], answer: []) }
    }
}
