import Testing

@testable import MockAzure

/// azure.md 5.2: responses are kept, and belong to the resource that made them.
@Suite("A stored response")
struct ResponseStoreTests {
    private let mock: PlayedMock

    init() throws { self.mock = try PlayedMock() }

    private func create(_ members: String = #""input":"hi""#, mock faults: String = "") throws -> JSONValue {
        let answer = self.mock.post(Target.v1("responses"), #"{"model":"gpt-4o",\#(members),"mock":{\#(faults)}}"#)
        #expect(answer.status == 200)
        return answer.json
    }

    @Test("is there until it is deleted, on both surfaces")
    func getAndDelete() throws {
        let created = try create()
        let id = try #require(created["id"].string)
        #expect(self.mock.get(Target.v1("responses/\(id)")).json == created)
        #expect(self.mock.get(Target.resource("responses/\(id)")).json == created)
        let deleted = self.mock.delete(Target.v1("responses/\(id)"))
        #expect(deleted.json["id"].string == id)
        #expect(deleted.json["deleted"] == "true")
        #expect(self.mock.get(Target.v1("responses/\(id)")).status == 404)
        #expect(self.mock.delete(Target.v1("responses/\(id)")).status == 404)
    }

    @Test("is unknown to another resource")
    func elsewhere() throws {
        let id = try #require(create()["id"].string)
        let other = try PlayedMock()
        #expect(other.get(Target.v1("responses/\(id)")).status == 404)
        let answer = other.post(
            Target.v1("responses"),
            #"{"model":"gpt-4o","input":"hi","previous_response_id":"\#(id)"}"#
        )
        #expect(answer.status == 400)
        #expect(answer.json["error"]["code"].string == "previous_response_not_found")
        #expect(answer.json["error"]["param"].string == "previous_response_id")
        #expect(other.booked.prompt == 0)
    }

    @Test(
        "is not kept when it shall not be, or was never made",
        arguments: [
            (#""input":"hi","store":false"#, ""), (#""input":"hi","stream":true"#, #""status":429"#),
        ]
    )
    func notKept(members: String, faults: String) throws {
        let answer = self.mock.post(Target.v1("responses"), #"{"model":"gpt-4o",\#(members),"mock":{\#(faults)}}"#)
        let id = answer.json["id"].string ?? "none"
        #expect(self.mock.get(Target.v1("responses/\(id)")).status == 404)
        #expect(answer.status == (faults.isEmpty ? 200 : 429))
    }

    @Test("is kept when it was streamed")
    func streamed() throws {
        let answer = self.mock.post(Target.v1("responses"), #"{"model":"gpt-4o","input":"hi","stream":true}"#)
        let last = try #require(answer.data.last?["response"])
        let id = try #require(last["id"].string)
        #expect(self.mock.get(Target.v1("responses/\(id)")).json == last)
    }

    @Test("is read again by the response that follows it")
    func previous() throws {
        let first = try create(#""input":"12345678""#, mock: #""tokens":10"#)
        let id = try #require(first["id"].string)
        let second = try create(#""input":"1234","previous_response_id":"\#(id)""#)
        #expect(second["previous_response_id"].string == id)
        #expect(second["usage"]["input_tokens"].int == (6 + 10) + 5)
    }

    @Test("made in the background has its usage in a later GET alone, and is booked once")
    func background() throws {
        let created = try create(#""input":"hi","background":true"#, mock: #""tokens":3,"background-polls":2"#)
        #expect(created["status"].string == "queued")
        #expect(created["usage"].isNull)
        #expect(created["output"] == "[]")
        let path = Target.v1("responses/\(try #require(created["id"].string))")
        for _ in 0..<2 {
            let polled = self.mock.get(path).json
            #expect(polled["status"].string == "in_progress")
            #expect(polled["usage"].isNull)
        }
        let done = self.mock.get(path).json
        #expect(done["status"].string == "completed")
        #expect(done["usage"]["total_tokens"].int == 8)
        #expect(self.mock.booked.prompt + self.mock.booked.completion == 8)
    }

    @Test("made in the background can be cancelled, any other not")
    func cancel() throws {
        let background = try #require(create(#""input":"hi","background":true"#)["id"].string)
        let cancelled = self.mock.post(Target.v1("responses/\(background)/cancel"), "")
        #expect(cancelled.json["status"].string == "cancelled")
        #expect(self.mock.get(Target.v1("responses/\(background)")).json["status"].string == "cancelled")
        let plain = try #require(create()["id"].string)
        #expect(self.mock.post(Target.v1("responses/\(plain)/cancel"), "").status == 400)
    }
}

@Suite("A bounded store")
struct BoundedStoreTests {
    @Test("drops what came first when there is too much, by number and by size")
    func bounds() {
        let store = BoundedStore<Int>(maximumCount: 3, maximumBytes: 10)
        for value in 0..<5 { store.insert(value, id: "\(value)", bytes: 1) }
        #expect(store.values() == [2, 3, 4])
        store.insert(5, id: "5", bytes: 9)
        #expect(store.values() == [4, 5])
        store.insert(6, id: "6", bytes: 11)
        #expect(store.values().isEmpty)
    }

    @Test("has room again for what was removed")
    func removal() {
        let store = BoundedStore<Int>(maximumCount: 2, maximumBytes: 10)
        store.insert(1, id: "1", bytes: 5)
        store.insert(2, id: "2", bytes: 5)
        #expect(store.remove("1") == 1)
        #expect(store.remove("1") == nil)
        store.insert(3, id: "3", bytes: 5)
        #expect(store.values() == [2, 3])
        #expect(store.update("3") { $0 = 4 } == 4)
        #expect(store.value("3") == 4)
    }
}
