import Foundation
import Testing

@testable import MockAzure

/// azure.md 5.7.
@Suite("An image")
struct ImageTests {
    private static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47]

    @Test("of gpt-image is base64, with a usage by quality, shape and number")
    func gptImage() throws {
        let answer = try PlayedMock().post(
            Target.v1("images/generations"),
            #"{"model":"gpt-image-1","prompt":"12345678","n":2,"quality":"low","size":"1024x1536"}"#
        )
        #expect(answer.json["data"].array.count == 2)
        let image = try #require(Data(base64Encoded: answer.json["data"][0]["b64_json"].string ?? ""))
        #expect(Array(image.prefix(4)) == Self.signature)
        #expect(answer.json["data"][0]["url"].isMissing)
        #expect(
            answer.json["usage"] == """
                {"total_tokens":818,"input_tokens":2,"output_tokens":816,
                "input_tokens_details":{"text_tokens":2,"image_tokens":0}}
                """
        )
    }

    @Test("of DALL-E is a URL or base64, as asked, without a usage")
    func dalle() throws {
        let target = Target.deployment("dall-e-3", "images/generations")
        let played = try PlayedMock()
        let url = played.post(target, #"{"prompt":"a cat"}"#).json
        #expect(url["data"][0]["url"].string?.hasPrefix("https://") == true)
        #expect(url["data"][0]["revised_prompt"].string != nil)
        #expect(url["usage"].isMissing)
        let base64 = played.post(target, #"{"prompt":"a cat","response_format":"b64_json"}"#).json
        #expect(base64["data"][0]["b64_json"].string != nil)
        #expect(base64["data"][0]["url"].isMissing)
        #expect(played.booked.prompt + played.booked.completion == 0)
    }

    @Test("is as large as asked for")
    func size() throws {
        let answer = try PlayedMock().post(
            Target.v1("images/generations"),
            #"{"model":"gpt-image-1","prompt":"a cat","mock":{"bytes":100000}}"#
        )
        #expect(Data(base64Encoded: answer.json["data"][0]["b64_json"].string ?? "")?.count == 100_000)
    }

    @Test("that is edited costs the images it starts from")
    func edit() throws {
        let form = FormBody(
            [("prompt", "1234"), ("model", "gpt-image-1")],
            files: [("image[]", "a.png", [1, 2]), ("image[]", "b.png", [3]), ("mask", "m.png", [4])]
        )
        let answer = try PlayedMock().post(Target.v1("images/edits"), form: form)
        #expect(answer.json["usage"]["input_tokens_details"] == #"{"text_tokens":1,"image_tokens":646}"#)
        #expect(answer.json["usage"]["input_tokens"].int == 647)
        #expect(answer.json["usage"]["output_tokens"].int == 1_056)
        let noImage = try PlayedMock().post(
            Target.v1("images/edits"),
            form: FormBody([("prompt", "1"), ("model", "x")])
        )
        #expect(noImage.status == 400)
    }

    @Test("is streamed as drafts, and then with its usage")
    func streamed() throws {
        let played = try PlayedMock()
        let answer = played.post(
            Target.v1("images/generations"),
            #"{"model":"gpt-image-1","prompt":"a cat","stream":true,"partial_images":2}"#
        )
        #expect(
            answer.events.map(\.name) == [
                "image_generation.partial_image", "image_generation.partial_image", "image_generation.completed",
            ]
        )
        #expect(answer.data.map { $0["partial_image_index"].int } == [0, 1, nil])
        #expect(answer.data.map { $0["usage"].isObject } == [false, false, true])
        #expect(played.booked.completion == answer.data[2]["usage"]["output_tokens"].int)
        let edit = FormBody(
            [("prompt", "a"), ("model", "gpt-image-1"), ("stream", "true")],
            files: [("image", "a.png", [1])]
        )
        #expect(played.post(Target.v1("images/edits"), form: edit).events.map(\.name) == ["image_edit.completed"])
    }
}
