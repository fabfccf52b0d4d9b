import Coordination
import Foundation
import Testing
import Transport

@testable import Gateway

@Suite("Asking for the usage in the client's place", .timeLimit(.minutes(5)))
struct StreamOptionsSpliceTests {
    private let reader = JSONRequestReader()

    private func splice(_ text: String, _ operation: APIOperation = .chat) throws -> StreamOptionsSplice? {
        StreamOptionsSplice(try reader.read(.of(text)).get().facts, operation: operation)
    }

    private func spliced(_ text: String) throws -> String? {
        let body = BodyStorage.of(text)
        guard let splice = try splice(text) else { return nil }
        var edits = BodyEdits(model: nil, at: 0..<0, splice: splice)
        edits.askForUsage(true, in: body)
        return body.text
    }

    @Test(
        "changes as much of the body as is needed",
        arguments: [
            (
                #"{"stream":true,"messages":[]}"#,
                #"{"stream":true,"stream_options":{"include_usage":true},"messages":[]}"#
            ),
            (
                #"{"messages":[], "stream" : true }"#,
                #"{"messages":[], "stream" : true,"stream_options":{"include_usage":true} }"#
            ),
            (
                #"{"stream":true,"stream_options":{}}"#, #"{"stream":true,"stream_options":{"include_usage":true}}"#
            ),
            (
                #"{"stream":true,"stream_options": { } }"#,
                #"{"stream":true,"stream_options": {"include_usage":true } }"#
            ),
            (
                #"{"stream_options":{"a":[{}]},"stream":true}"#,
                #"{"stream_options":{"include_usage":true,"a":[{}]},"stream":true}"#
            ),
            (
                #"{"stream_options":{"a":1,"include_usage" : false , "b":2},"stream":true}"#,
                #"{"stream_options":{"a":1,"include_usage" : true , "b":2},"stream":true}"#
            ),
            (
                #"{"stream_options":{"include_usage":null},"stream":true}"#,
                #"{"stream_options":{"include_usage":true},"stream":true}"#
            ),
            (
                #"{"stream_options": null ,"stream":true}"#,
                #"{"stream_options": {"include_usage":true} ,"stream":true}"#
            ),
            (
                #"{"str\u0065am":true,"x":{"stream_options":{},"stream":true}}"#,
                #"{"str\u0065am":true,"stream_options":{"include_usage":true},"x":{"stream_options":{},"stream":true}}"#
            ),
        ]
    )
    func changes(text: String, expected: String) throws {
        #expect(try spliced(text) == expected)
        #expect(try splice(expected) == nil, "once is enough")
        let object = try JSONSerialization.jsonObject(with: Data(expected.utf8)) as? [String: Any]
        #expect((object?["stream_options"] as? [String: Any])?["include_usage"] as? Bool == true)
    }

    @Test(
        "leaves a request alone that has it, cannot have it, or is Azure's to refuse",
        arguments: [
            #"{"messages":[]}"#, #"{"stream":false}"#, #"{"stream":"true"}"#, #"{"stream":null,"stream_options":{}}"#,
            #"{"stream":true,"stream_options":{"include_usage":true}}"#,
            #"{"stream":true,"stream_options":{"include_usage":"yes"}}"#,
            #"{"stream":true,"stream_options":{"include_usage":1}}"#, #"{"stream":true,"stream_options":[]}"#,
            #"{"stream":true,"stream_options":"x"}"#, #"{"stream":true,"stream_options":7}"#,
            #"{"stream":true,"data_sources":[{"type":"azure_search"}]}"#,
            #"{"stream":true,"stream":true}"#, #"{"stream":true,"stream_options":{},"stream_options":{}}"#,
            #"{"stream":true,"stream_options":{"include_usage":false,"include_usage":false}}"#,
        ]
    )
    func nothing(text: String) throws { #expect(try splice(text) == nil) }

    @Test("is for chats and completions")
    func operations() throws {
        let text = #"{"stream":true}"#
        for operation in [APIOperation.chat, .completions] { #expect(try splice(text, operation) != nil) }
        for operation in [APIOperation.responses, .images, .transcription, .speech, .embeddings, .other] {
            #expect(try splice(text, operation) == nil)
        }
    }

    @Test(
        "goes together with another model, whichever stands first",
        arguments: [
            #"{"model":"m","stream":true}"#, #"{"stream":true,"model":"m"}"#,
            #"{"stream_options":{"include_usage":false},"model":"m","stream":true}"#,
            #"{"model":"m","stream":true,"stream_options":null}"#,
        ]
    )
    func model(text: String) throws {
        for name in ["n", "a-much-longer-name"] {
            let body = BodyStorage.of(text)
            let request = try reader.read(body).get()
            let splice = try #require(StreamOptionsSplice(request.facts, operation: .chat))
            for nameFirst in [true, false] {
                var edits = BodyEdits(model: request.model, at: request.modelRange, splice: splice)
                if nameFirst { edits.rename(to: name, in: body) }
                edits.askForUsage(true, in: body)
                edits.rename(to: name, in: body)
                let changed = try reader.read(body).get()
                #expect(changed.model == name)
                #expect(changed.facts.streamOptions.includeUsage == .yes)
                #expect(changed.stream)
                // For the next deployment, all of it can be taken back.
                if nameFirst { edits.rename(to: "m", in: body) }
                edits.askForUsage(false, in: body)
                edits.rename(to: "m", in: body)
                #expect(body.text == text)
            }
        }
    }

    @Test(
        "is given up for a deployment that refuses it",
        arguments: [
            (
                400,
                #"{"error":{"message":"Unrecognized request argument supplied: stream_options","type":"invalid_request_error"}}"#,
                true
            ),
            (400, #"{"error":{"message":"Unknown parameter: 'Stream_Options.include_usage'."}}"#, true),
            (422, #"{"detail":[{"loc":["body","stream_options"],"msg":"extra fields not permitted"}]}"#, true),
            (400, #"{"error":{"code":"content_filter","message":"..."}}"#, false), (400, "", false),
            (200, "stream_options", false), (429, "stream_options", false), (500, "stream_options", false),
        ]
    )
    func refusals(status: Int, body: String, isRefusal: Bool) {
        var injections = InjectionSwitches()
        let deployment = DeploymentID(endpoint: "west", deployment: "gpt-4o")
        let found = Array(body.utf8).withUnsafeBytes { injections.answered(status: status, body: $0, by: deployment) }
        #expect(found == isRefusal)
        #expect(injections.isOn(deployment) == !isRefusal)
        #expect(injections.isOn(DeploymentID(endpoint: "east", deployment: "gpt-4o")), "others are not concerned")
        let later = [UInt8]().withUnsafeBytes { injections.answered(status: 200, body: $0, by: deployment) }
        #expect(!later)
        #expect(injections.isOn(deployment) == !isRefusal, "it stays off")
    }
}
