import Coordination
import Foundation
import NIOCore
import TestSupport
import Testing

@testable import Gateway

@Suite("A usage event")
struct UsageFrameTests {
    private static let identity = TokenIdentity(
        client: 0,
        tenant: 0,
        isApplication: false,
        objectID: GUID("0f8fad5b-d9cb-469f-a165-70867728950e"),
        application: nil,
        tokenID: TokenID()
    )

    static func record(_ random: inout SplitMix) -> ExchangeRecord {
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
        var record = ExchangeRecord(
            id: ExchangeID(process: random.next(), count: random.next() >> 8),
            start: start,
            end: start + .microseconds(Int64.random(in: 0...1_000_000, using: &random))
        )
        record.client = 0
        record.clientName = "team a"
        record.identity = Bool.random(using: &random) ? identity : nil
        record.method = "POST"
        record.path = "/openai/deployments/gpt-4o/chat/completions"
        record.query = "?x=1&api-version=2024-10-21"
        record.modelName = Bool.random(using: &random) ? "gpt-\"4o\", Ü" : nil
        record.status = [200, 429, 499, 503].randomElement(using: &random)!
        record.isStream = Bool.random(using: &random)
        record.firstByte = Bool.random(using: &random) ? start + .microseconds(5) : nil
        record.usage = TokenUsage(
            input: Int.random(in: 0...TokenUsage.mostTokens, using: &random),
            output: Int.random(in: 0...1000, using: &random),
            total: Int.random(in: 0...TokenUsage.mostTokens, using: &random),
            cached: 3,
            reasoning: 4,
            inputAudio: 5,
            outputAudio: 6,
            inputImages: 7,
            outputImages: 8,
            seconds: 1.25,
            isEstimated: Bool.random(using: &random)
        )
        record.attempts = Int.random(in: 0...3, using: &random)
        record.endpoint = record.attempts > 0 ? 1 : nil
        record.deployment = "gpt-4o"
        record.upstreamStatus = 200
        for number in 1..<max(1, record.attempts) {
            record.earlierAttempts.append(.init(endpoint: 0, deployment: nil, status: number))
        }
        record.tier = 2
        record.isProvisioned = Bool.random(using: &random)
        record.serviceTier = .priority
        record.region = "Sweden Central"
        record.shadow.client = Bool.random(using: &random) ? .init(kind: .tokensPerDay, isOfModel: true) : nil
        record.upstreamRequestID = "9f1f7ae3"
        return record
    }

    @Test("comes out of its bytes as it went in")
    func roundTrip() throws {
        var random = SplitMix(seed: 7)
        var writer = UsageFrameWriter(capacity: 1)
        for _ in 0..<200 {
            writer.write(Self.record(&random), received: 1_775_000_000_123_456) { ["sweden", "us"][$0] }
        }
        var reader = UsageFrameReader(writer.take())
        random = SplitMix(seed: 7)
        for _ in 0..<200 {
            let record = Self.record(&random)
            let next = reader.next()
            let event = try #require(next)
            #expect(event.idText == record.id.description)
            #expect(event.usage == record.usage)
            #expect(event.status == record.status)
            #expect(event.client == "team a")
            #expect(event.identity == record.identity?.objectID?.description ?? "")
            #expect(event.model == record.modelName ?? "")
            #expect(event.apiVersion == "2024-10-21")
            #expect(event.duration == (record.end - record.start).nanoseconds / 1000)
            #expect(event.firstByte == record.firstByte.map { ($0 - record.start).nanoseconds / 1000 })
            #expect(event.attempts.count == record.attempts)
            #expect(event.endpoint == (record.attempts > 0 ? "us" : ""))
            #expect(event.attempts.dropLast().map(\.status) == record.earlierAttempts.map(\.status))
            #expect(event.serviceTier == "priority")
            #expect(event.shadowLimit == (record.shadow.client == nil ? "" : "tokens_per_day"))
        }
        #expect(reader.next() == nil)
    }

    @Test("is none where its bytes are cut, and none is made up")
    func cut() {
        var random = SplitMix(seed: 8)
        var writer = UsageFrameWriter(capacity: 1)
        writer.write(Self.record(&random), received: 1) { _ in "sweden" }
        let frame = writer.take()
        for count in 0..<frame.count {
            var reader = UsageFrameReader(Array(frame[..<count]))
            #expect(reader.next() == nil)
        }
    }

    @Test("is a JSON object whose numbers are the event's")
    func json() throws {
        var random = SplitMix(seed: 9)
        for _ in 0..<100 {
            var writer = UsageFrameWriter(capacity: 1)
            writer.write(Self.record(&random), received: 1_775_000_000_123_456) { _ in "sweden" }
            var reader = UsageFrameReader(writer.take())
            let next = reader.next()
            let event = try #require(next)
            var line: [UInt8] = []
            UsageText.appendJSON(event, to: &line)
            #expect(line.last == 0x0A)
            let object = try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
            #expect(object["schema"] as? Int == 1)
            #expect(object["id"] as? String == event.idText)
            #expect(object["received"] as? String == "2026-03-31T23:33:20.123456Z")
            let tokens = try #require(object["tokens"] as? [String: Any])
            #expect(tokens["input"] as? Int == event.usage.input)
            #expect(tokens["output_images"] as? Int == 8)
            #expect(object["seconds"] as? Double == 1.25)
            #expect(object["model"] as? String == (event.model.isEmpty ? nil : event.model))
            #expect((object["attempts"] as? [Any])?.count == event.attempts.count)
            #expect(object["shadow_limit"] as? String == (event.shadowLimit.isEmpty ? nil : "tokens_per_day"))
            var row = CSVRows(capacity: 1)
            UsageText.append(event, toCSV: &row)
            let text = String(decoding: row.take(), as: UTF8.self).replacing("\"gpt-\"\"4o\"\", Ü\"", with: "model")
            #expect(text.split(separator: ",", omittingEmptySubsequences: false).count == UsageText.columns.count)
        }
    }

    @Test("has PowerProxy's lines and columns")
    func powerProxy() throws {
        var event = UsageEvent()
        event.id = 0xABC
        event.received = 1_775_000_000_123_456
        event.duration = 12_345
        event.client = "Team 1"
        event.model = "gpt-4o"
        event.apiVersion = "2024-10-21"
        event.attempts = [.init(endpoint: "Sweden", deployment: "gpt-4o-ptu", status: 200)]
        event.usage = TokenUsage(input: 10, output: 5, total: 15)
        var csv = CSVRows(capacity: 1)
        var console: [UInt8] = []
        var logs: [UInt8] = []
        let row = try #require(PowerProxyUsage(event))
        row.append(toCSV: &csv)
        row.append(toConsole: &console)
        row.append(toLogs: &logs)
        #expect(
            String(decoding: csv.take(), as: UTF8.self)
                == "2026-03-31 23:33:20.123456+00:00,Team 1,0,10,5,15,12,,Sweden,gpt-4o,gpt-4o-ptu,2024-10-21\n"
        )
        #expect(
            String(decoding: console, as: UTF8.self) == """
                ---
                Request Received UTC            : 2026-03-31 23:33:20.123456+00:00
                Client                          : Team 1
                Is Streaming                    : False
                Prompt Tokens                   : 10
                Completion Tokens               : 5
                Total Tokens                    : 15
                Azure OpenAI Roundtrip Time     : 12 ms
                Azure OpenAI Region             : None
                Azure OpenAI Endpoint           : Sweden
                Azure OpenAI Virtual Deployment : gpt-4o
                Azure OpenAI Standin Deployment : gpt-4o-ptu
                Azure OpenAI API Version        : 2024-10-21


                """
        )
        let object = try #require(try JSONSerialization.jsonObject(with: Data(logs)) as? [String: Any])
        #expect(object["TotalTokens"] as? Int == 15)
        #expect(object["AoaiStandinDeployment"] as? String == "gpt-4o-ptu")
        #expect(object["EventId"] as? String == "0000000000000abc")
        event.attempts[0].status = 0
        #expect(PowerProxyUsage(event) == nil)
    }
}
