import Foundation
import Testing

@testable import MockAzure

/// azure.md 5.7.
@Suite("Audio")
struct AudioTests {
    /// Two seconds, as the mock hears it.
    private static let sound = [UInt8](repeating: 7, count: 64_000)

    private func transcribe(_ target: String, _ fields: [(String, String)] = []) throws -> PlayedAnswer {
        try PlayedMock().post(target, form: FormBody(fields, files: [("file", "a.wav", Self.sound)]))
    }

    @Test("of whisper has a usage of seconds on v1, and none on the dated surface")
    func whisper() throws {
        let v1 = try transcribe(Target.v1("audio/transcriptions"), [("model", "whisper")])
        #expect(
            v1.json == """
                {"text":"Transcription of a.wav, 64000 bytes.","usage":{"type":"duration","seconds":2}}
                """
        )
        let dated = try transcribe(Target.deployment("whisper", "audio/transcriptions"))
        #expect(dated.json == #"{"text":"Transcription of a.wav, 64000 bytes."}"#)
        let verbose = try transcribe(
            Target.v1("audio/translations"),
            [("model", "whisper"), ("response_format", "verbose_json")]
        )
        #expect(verbose.json["duration"].int == 2)
        #expect(verbose.json["task"].string == "translate")
        #expect(verbose.json["usage"] == #"{"type":"duration","seconds":2}"#)
        let ignored = try transcribe(Target.v1("audio/transcriptions"), [("model", "whisper"), ("stream", "true")])
        #expect(ignored.json["text"].string != nil)
    }

    @Test(
        "is text, subtitles or JSON",
        arguments: [
            ("text", "Transcription of a.wav, 64000 bytes.\n"),
            ("srt", "1\n00:00:00,000 --> 00:00:02,000\nTranscription of a.wav, 64000 bytes.\n\n"),
            ("vtt", "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nTranscription of a.wav, 64000 bytes.\n\n"),
        ]
    )
    func formats(format: String, text: String) throws {
        let answer = try transcribe(Target.deployment("whisper", "audio/transcriptions"), [("response_format", format)])
        #expect(answer.bodyText == text)
        #expect(answer.header("content-type") == "text/plain; charset=utf-8")
    }

    @Test("of gpt-4o-transcribe has a usage of tokens")
    func tokens() throws {
        let target = Target.deployment("gpt-4o-transcribe", "audio/transcriptions")
        let answer = try transcribe(target, [("prompt", "12345678")])
        #expect(
            answer.json["usage"] == """
                {"type":"tokens","input_tokens":22,"input_token_details":{"text_tokens":2,"audio_tokens":20},
                "output_tokens":5,"total_tokens":27}
                """
        )
        #expect(try transcribe(target, [("mock", "no-usage")]).json["usage"].isMissing)
        #expect(try transcribe(target, [("response_format", "srt")]).status == 400)
    }

    @Test("of gpt-4o-transcribe is streamed")
    func streamed() throws {
        let answer = try transcribe(
            Target.v1("audio/transcriptions"),
            [("model", "gpt-4o-transcribe"), ("stream", "true")]
        )
        let text = "Transcription of a.wav, 64000 bytes."
        #expect(answer.data.dropLast().allSatisfy { $0["type"].string == "transcript.text.delta" })
        #expect(answer.data.compactMap { $0["delta"].string }.joined() == text)
        #expect(answer.data.last?["type"].string == "transcript.text.done")
        #expect(answer.data.last?["text"].string == text)
        #expect(answer.data.last?["usage"]["output_tokens"].int == answer.data.count - 1)
    }

    @Test(
        "that is spoken is chunked bytes without a usage",
        arguments: [
            ("mp3", "audio/mpeg"), ("opus", "audio/ogg"), ("aac", "audio/aac"), ("flac", "audio/flac"),
            ("wav", "audio/wav"), ("pcm", "audio/pcm"),
        ]
    )
    func speech(format: String, type: String) throws {
        let played = try PlayedMock()
        let answer = played.post(
            Target.deployment("tts-1", "audio/speech"),
            #"{"input":"ten bytes.","voice":"alloy","response_format":"\#(format)"}"#
        )
        #expect(answer.header("content-type") == type)
        #expect(answer.header("transfer-encoding") == "chunked")
        #expect(answer.writes > 1)
        #expect(answer.body == (0..<10_240).map { UInt8($0 % 251) })
        #expect(played.booked.prompt + played.booked.completion == 0)
    }

    @Test("that is spoken in events has a usage in the last")
    func speechEvents() throws {
        let played = try PlayedMock()
        let answer = played.post(
            Target.v1("audio/speech"),
            #"{"model":"gpt-4o-mini-tts","input":"ten bytes.","voice":"alloy","stream_format":"sse"}"#
        )
        let audio = answer.data.compactMap { $0["audio"].string }.compactMap { Data(base64Encoded: $0) }.joined()
        #expect(Array(audio) == (0..<10_240).map { UInt8($0 % 251) })
        #expect(
            answer.data.last == """
                {"type":"speech.audio.done","usage":{"input_tokens":3,"output_tokens":3,"total_tokens":6}}
                """
        )
        #expect(played.booked.prompt == 3)
        #expect(played.booked.completion == 3)
    }
}
