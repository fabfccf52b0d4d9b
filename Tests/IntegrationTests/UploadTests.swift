internal import Glibc
internal import TestSupport
internal import Testing

extension Integration {
    @Suite("An upload")
    struct UploadTests {
        @Test(
            "of 20 MB flows through at the pace of a slow upstream, and is not collected",
            arguments: ["/openai/deployments/whisper/audio/transcriptions", "/openai/v1/audio/transcriptions"]
        )
        func large(target: String) throws {
            let received = Shared(0)
            let upstream = try ScriptedUpstream { connection in
                let head = try connection.readHead()
                let length = Int(head.header("content-length") ?? "") ?? 0
                var count = 0
                while count < length {
                    count += try connection.receive()
                    let now = count
                    received.change { $0 = now }
                    usleep(1_000)  // its pace
                }
                try connection.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            }
            let gateway = try Gateway(upstream: upstream)
            let form = Multipart(fields: [("model", "whisper")], fileBytes: 20_000_000)
            let bytes = Client.bytes("POST", target, headers: ["content-type: \(form.contentType)"], body: form.body)

            let warmUp = try gateway.connect()
            try warmUp.request("GET", "/health/front-door", key: nil)
            #expect(try warmUp.response().status == 200)
            let rest = gateway.process.residentBytes
            var most = 0
            var mostWaiting = 0
            let client = try gateway.connect()
            for start in stride(from: 0, to: bytes.count, by: 250_000) {
                let end = min(bytes.count, start + 250_000)
                try client.socket.send(bytes[start..<end])
                most = max(most, gateway.process.residentBytes - rest)
                mostWaiting = max(mostWaiting, end - received.current)
            }
            #expect(try client.response().status == 200)
            #expect(received.current == form.body.count)
            print(
                "upload of 20 MB: the gateway grew by \(most / 1_024) KiB; at most \(mostWaiting / 1_024) KiB on the way"
            )
            if Build.kind != .sanitized { #expect(most < 8 << 20) }
        }

        @Test("that the upstream refuses early gets that answer, and the gateway goes on")
        func refusedEarly() throws {
            let upstream = try ScriptedUpstream { connection in
                _ = try connection.readHead()
                try connection.send("HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n")
                try connection.awaitClose()
            }
            let gateway = try Gateway(upstream: upstream)
            let client = try gateway.connect()
            let body = [UInt8](repeating: 0, count: 300_000)
            try client.request("POST", "/openai/upload", headers: ["content-type: audio/wav"], body: body)
            let response = try client.response()
            #expect(response.status == 429)
            #expect(response.header("retry-after") == "7")
            try gateway.awaitIdle()
        }
    }
}
