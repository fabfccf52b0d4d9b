import Testing

@testable import MockAzure

/// azure.md 5.2; bodies and statuses from Azure's API description of 2024-10-21.
@Suite("A file")
struct FileTests {
    private let mock: PlayedMock
    private static let content: [UInt8] = Array("{\"a\":1}\r\n--\r\n\0".utf8)

    init() throws { self.mock = try PlayedMock() }

    private func upload(_ target: String) -> PlayedAnswer {
        self.mock.post(target, form: FormBody([("purpose", "batch")], files: [("file", "in.jsonl", Self.content)]))
    }

    @Test("is uploaded, listed, read and deleted, on both surfaces")
    func life() throws {
        let dated = upload(Target.resource("files"))
        #expect(dated.status == 201)
        #expect(dated.json["status"].string == "pending")
        let v1 = upload(Target.v1("files"))
        #expect(v1.status == 200)
        let id = try #require(v1.json["id"].string)
        #expect(id.hasPrefix("file-"))
        let file = self.mock.get(Target.resource("files/\(id)"))
        #expect(file.json == v1.json)
        #expect(file.json["bytes"].int == Self.content.count)
        #expect(file.json["filename"].string == "in.jsonl")
        #expect(file.json["purpose"].string == "batch")
        #expect(file.json["status"].string == "processed")
        #expect(self.mock.get(Target.v1("files")).json["data"].array.count == 2)
        let content = self.mock.get(Target.v1("files/\(id)/content"))
        #expect(content.body == Self.content)
        #expect(content.header("content-type") == "application/octet-stream")
        let deleted = self.mock.delete(Target.v1("files/\(id)"))
        #expect(deleted.json == JSONValue(#"{"id":"\#(id)","object":"file","deleted":true}"#))
        #expect(self.mock.get(Target.v1("files/\(id)")).status == 404)
        #expect(self.mock.get(Target.v1("files/\(id)/content")).status == 404)
        #expect(self.mock.get(Target.v1("files")).json["data"].array.count == 1)
    }

    @Test("needs a purpose and a content")
    func incomplete() {
        #expect(self.mock.post(Target.v1("files"), form: FormBody([("purpose", "batch")])).status == 400)
        let form = FormBody([], files: [("file", "a", [1])])
        #expect(self.mock.post(Target.v1("files"), form: form).status == 400)
    }

    @Test("that a fault refuses is not kept")
    func refused() {
        let form = FormBody([("purpose", "batch"), ("mock", "status=500")], files: [("file", "a", [1])])
        #expect(self.mock.post(Target.v1("files"), form: form).status == 500)
        #expect(self.mock.get(Target.v1("files")).json["data"] == "[]")
    }
}
