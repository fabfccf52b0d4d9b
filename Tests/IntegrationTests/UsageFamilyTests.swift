internal import Foundation
internal import TestSupport
internal import Testing

extension Integration {
    @Suite("The usage of every family of Azure's API at a running gateway")
    struct UsageFamilyTests {
        struct Call: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let path: String
            var json: String?
            var form: [(name: String, value: String)] = []
            /// Azure says nothing of it: the gateway estimates.
            var isEstimated = false
            var isStream = false
            /// Of sound, where that is what Azure bills.
            var seconds: Double?

            init(_ description: String, _ path: String, json: String, isEstimated: Bool = false, isStream: Bool = false)
            {
                testDescription = description
                self.path = path
                self.json = json
                self.isEstimated = isEstimated
                self.isStream = isStream
            }

            init(
                _ description: String,
                _ path: String,
                form: [(name: String, value: String)],
                isEstimated: Bool = false,
                isStream: Bool = false,
                seconds: Double? = nil
            ) {
                testDescription = description
                self.path = path
                self.form = form
                self.isEstimated = isEstimated
                self.isStream = isStream
                self.seconds = seconds
            }
        }

        private static let chat =
            #""model":"gpt-4o","messages":[{"role":"user","content":"Hello there"}],"max_tokens":9"#
        private static let details =
            #","user":"mock:cached-tokens=2,reasoning-tokens=3,prompt-audio-tokens=4,completion-audio-tokens=5""#
        private static let completion = #""model":"gpt-35-turbo-instruct","prompt":"Hello there","max_tokens":9"#
        private static let response = #""model":"gpt-4o","input":"Hello there","max_output_tokens":9"#
        private static let image = #""model":"gpt-image-1","prompt":"a cat","quality":"low""#
        private static let speech = #""model":"gpt-4o-mini-tts","input":"ten bytes.","voice":"alloy""#

        static let calls: [Call] = [
            Call("a chat", "/openai/v1/chat/completions", json: "{\(chat)\(details)}"),
            Call(
                "a streamed chat that asks for its usage",
                "/openai/v1/chat/completions",
                json: "{\(chat)\(details),\"stream\":true,\"stream_options\":{\"include_usage\":true}}",
                isStream: true
            ),
            Call(
                "a streamed chat that does not",
                "/openai/deployments/gpt-4o/chat/completions?api-version=2025-01-01-preview",
                json: "{\(chat)\(details),\"stream\":true}",
                isStream: true
            ),
            Call(
                "a streamed chat that has none",
                "/openai/v1/chat/completions",
                json: "{\(chat),\"stream\":true,\"user\":\"mock:no-usage\"}",
                isEstimated: true,
                isStream: true
            ),
            Call("a completion", "/openai/v1/completions", json: "{\(completion)}"),
            Call(
                "a streamed completion",
                "/openai/v1/completions",
                json: "{\(completion),\"stream\":true}",
                isStream: true
            ),
            Call(
                "embeddings",
                "/openai/v1/embeddings",
                json: #"{"model":"text-embedding-3-small","input":["Hello","there, you"]}"#
            ),
            Call("a response", "/openai/v1/responses", json: "{\(response)\(details)}"),
            Call(
                "a streamed response",
                "/openai/v1/responses",
                json: "{\(response)\(details),\"stream\":true}",
                isStream: true
            ),
            Call(
                "a response cut short",
                "/openai/v1/responses",
                json: "{\(response),\"user\":\"mock:content-filter=completion\"}"
            ),
            Call("images", "/openai/v1/images/generations", json: "{\(image)}"),
            Call(
                "a streamed image",
                "/openai/v1/images/generations",
                json: "{\(image),\"stream\":true}",
                isStream: true
            ),
            Call(
                "a transcription by tokens",
                "/openai/v1/audio/transcriptions",
                form: [("model", "gpt-4o-transcribe")]
            ),
            Call(
                "a streamed transcription by tokens",
                "/openai/v1/audio/transcriptions",
                form: [("model", "gpt-4o-transcribe"), ("stream", "true")],
                isStream: true
            ),
            Call(
                "a transcription by seconds",
                "/openai/v1/audio/transcriptions",
                form: [("model", "whisper")],
                seconds: 2
            ),
            Call(
                "a translation by seconds, in full",
                "/openai/v1/audio/translations",
                form: [("model", "whisper"), ("response_format", "verbose_json")],
                seconds: 2
            ),
            Call(
                "a transcription without a usage",
                "/openai/deployments/whisper/audio/transcriptions?api-version=2024-10-21",
                form: [],
                isEstimated: true
            ),
            Call("speech", "/openai/v1/audio/speech", json: "{\(speech)}", isEstimated: true),
            Call(
                "speech in events",
                "/openai/v1/audio/speech",
                json: "{\(speech),\"stream_format\":\"sse\"}",
                isStream: true
            ),
        ]

        private func send(_ call: Call, to gateway: Gateway) throws -> Response {
            let client = try gateway.connect()
            if let json = call.json {
                try client.request("POST", call.path, body: Array(json.utf8))
            } else {
                let form = Multipart(fields: call.form, fileBytes: 64_000)
                try client.request("POST", call.path, headers: ["content-type: \(form.contentType)"], body: form.body)
            }
            return try client.response(to: "POST")
        }

        @Test("is booked as Azure counted it, plain and streamed, and marked where it is an estimate")
        func families() throws {
            let folder = try TemporaryFolder()
            let events = folder.url.appendingPathComponent("events").path
            let upstream = try MockAzure()
            let file = """
                listen: 127.0.0.1:0
                admin: 127.0.0.1:0
                clients: [{name: team-a, api_keys: [\(GatewayConfigurationText.key)]}]
                endpoints:
                  - {name: west, url: "http://127.0.0.1:\(upstream.port)", api_key: \(GatewayConfigurationText.upstreamKey)}
                usage:
                  spool: \(folder.url.appendingPathComponent("spool").path)
                  sinks: [{type: jsonl, directory: \(events)}]

                """
            let gateway = try Gateway(file: file, upstream: upstream)
            func lines() -> [Substring] {
                let names = (try? FileManager.default.contentsOfDirectory(atPath: events)) ?? []
                let texts = names.compactMap { try? String(contentsOfFile: "\(events)/\($0)", encoding: .utf8) }
                return texts.joined().split(separator: "\n")
            }
            for (number, call) in Self.calls.enumerated() {
                let name = Comment(rawValue: call.testDescription)
                let before = try upstream.stats()
                let response = try send(call, to: gateway)
                #expect(response.status == 200, "\(call.testDescription): \(response.text.prefix(300))")
                try wait(for: "the event of \(call.testDescription)") { lines().count == number + 1 }
                let after = try upstream.stats()
                let line = try #require(lines().last)
                let event = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
                let tokens = try #require(event["tokens"] as? [String: Any])
                #expect(event["estimated"] as? Bool == call.isEstimated, name)
                #expect(event["stream"] as? Bool == call.isStream, name)
                #expect(event["seconds"] as? Double == call.seconds, name)
                if !call.isEstimated {
                    #expect(tokens["input"] as? Int == after.prompt - before.prompt, name)
                    #expect(tokens["output"] as? Int == after.completion - before.completion, name)
                    let spent = after.prompt + after.completion - before.prompt - before.completion
                    #expect(tokens["total"] as? Int == spent, name)
                    #expect(spent > 0 || call.seconds != nil, name)
                }
                if call.json?.contains(Self.details) == true {
                    #expect(tokens["cached"] as? Int == 2, name)
                    #expect(tokens["reasoning"] as? Int == 3, name)
                }
                if call.json?.contains("\(Self.chat)\(Self.details)") == true {
                    #expect(tokens["input_audio"] as? Int == 4, name)
                    #expect(tokens["output_audio"] as? Int == 5, name)
                }
            }
        }
    }
}
