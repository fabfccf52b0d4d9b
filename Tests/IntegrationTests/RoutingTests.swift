internal import Testing

extension Integration {
    @Suite("Routing")
    struct RoutingTests {
        private let upstream: ScriptedUpstream
        private let gateway: Gateway

        init() throws {
            upstream = try ScriptedUpstream.answering()
            gateway = try Gateway(upstream: upstream)
        }

        /// What the upstream is sent for a request.
        private func forwarded(
            _ method: String,
            _ target: String,
            headers: [String] = [],
            body: [UInt8]? = nil
        ) throws -> RecordedRequest {
            let client = try gateway.connect()
            try client.request(method, target, headers: headers, body: body)
            let response = try client.response()
            #expect(response.status == 200, "\(response.text)")
            return try #require(upstream.requests.last)
        }

        @Test("names the deployment in the path and leaves query and body alone")
        func path() throws {
            let body = Array(#" {"model": "whatever" , "messages":[]} "#.utf8)
            let request = try forwarded(
                "POST",
                "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21&x=%20y",
                body: body
            )
            #expect(
                request.requestLine
                    == "POST /openai/deployments/gpt-4o-west/chat/completions?api-version=2024-10-21&x=%20y HTTP/1.1"
            )
            #expect(request.body == body)
        }

        @Test("names the deployment in the body and leaves every other byte of it alone")
        func json() throws {
            let bodies = [
                #"{"model":"gpt-4o"}"#,
                "{\n  \"messages\" : [ {\"model\": \"gpt-4o\", \"content\": \"\\\"model\\\":\\\"gpt-4o\\\"\"} ],\r\n\t\"model\" : \"gpt-4o\" }\n",
                #"{"a":{"model":"x"},"b":[1.50e+3,-0,"\u00e9 é 🚀"],"model":"gpt-4o","z":null}"#,
                #"{"model":"gpt\u002d4o","stream":false}"#,
            ]
            let expected = [
                #"{"model":"gpt-4o-west"}"#,
                "{\n  \"messages\" : [ {\"model\": \"gpt-4o\", \"content\": \"\\\"model\\\":\\\"gpt-4o\\\"\"} ],\r\n\t\"model\" : \"gpt-4o-west\" }\n",
                #"{"a":{"model":"x"},"b":[1.50e+3,-0,"\u00e9 é 🚀"],"model":"gpt-4o-west","z":null}"#,
                #"{"model":"gpt-4o-west","stream":false}"#,
            ]
            for (body, expected) in zip(bodies, expected) {
                let request = try forwarded("POST", "/openai/v1/chat/completions", body: Array(body.utf8))
                #expect(String(decoding: request.body, as: UTF8.self) == expected)
                #expect(request.header("content-length") == "\(expected.utf8.count)")
            }
        }

        @Test("names the deployment in a form's field and leaves every other byte of it alone")
        func form() throws {
            let form = Multipart(
                fields: [("language", "en"), ("model", "gpt-4o"), ("prompt", "gpt-4o")],
                fileBytes: 100_000
            )
            let expected = Multipart(
                fields: [("language", "en"), ("model", "gpt-4o-west"), ("prompt", "gpt-4o")],
                fileBytes: 100_000
            )
            let type = ["content-type: \(form.contentType)"]
            let request = try forwarded("POST", "/openai/v1/audio/transcriptions", headers: type, body: form.body)
            #expect(request.body == expected.body)
            #expect(request.header("content-type") == form.contentType)
            #expect(request.header("content-length") == "\(expected.body.count)")
        }

        @Test("reads the body in whatever pieces it comes, chunked or not")
        func pieces() throws {
            let body = Array(#"{"messages":["é"],"model":"gpt-4o"}"#.utf8)
            for split in 1..<body.count {
                let client = try gateway.connect()
                try client.send(
                    """
                    POST /openai/v1/chat/completions HTTP/1.1\r\nhost: g\r\napi-key: \(GatewayConfigurationText.key)\r\n\
                    transfer-encoding: chunked\r\n\r\n
                    """
                )
                for part in [body[..<split], body[split...]] {
                    try client.send("\(String(part.count, radix: 16))\r\n")
                    try client.send(Array(part))
                    try client.send("\r\n")
                }
                try client.send("0\r\n\r\n")
                #expect(try client.response().status == 200)
                let request = try #require(upstream.requests.last)
                #expect(String(decoding: request.body, as: UTF8.self) == #"{"messages":["é"],"model":"gpt-4o-west"}"#)
            }
        }

        @Test("passes on paths that it does not know, with and without a body, by any common method")
        func unknownPaths() throws {
            for method in ["GET", "DELETE", "POST", "PUT", "PATCH"] {
                let request = try forwarded(method, "/openai/files/file-1/content?after=x")
                #expect(request.requestLine == "\(method) /openai/files/file-1/content?after=x HTTP/1.1")
                #expect(request.body.isEmpty)
            }
            let json = Array(#"{"purpose":"batch"}"#.utf8)
            #expect(try forwarded("POST", "/anything/at/all", body: json).body == json)
            let audio = [UInt8](0...255)
            let request = try forwarded(
                "PUT",
                "/openai/things",
                headers: ["content-type: application/octet-stream"],
                body: audio
            )
            #expect(request.body == audio)
        }

        @Test("takes the absolute form of a target for its path")
        func absoluteForm() throws {
            let request = try forwarded("GET", "http://elsewhere.example/openai/models?x=1")
            #expect(request.requestLine == "GET /openai/models?x=1 HTTP/1.1")
            #expect(request.header("host") == "127.0.0.1:\(upstream.port)")
        }

        @Test("answers 400 in Azure's shape to a JSON body that it cannot read")
        func brokenJSON() throws {
            for body in [
                "", " ", "[]", "null", "{", "{\"model\":", "{\"model\":1}", "{\"model\":\"a\",\"model\":\"b\"}",
                "\u{FEFF}x",
            ]
            where !body.isEmpty {
                let client = try gateway.connect()
                try client.request("POST", "/openai/v1/chat/completions", body: Array(body.utf8))
                let response = try client.response()
                #expect(response.status == 400, "\(body)")
                #expect(response.errorCode != nil, "\(body)")
                // Nothing is wrong with the connection.
                try client.request("GET", "/openai/models")
                #expect(try client.response().status == 200, "\(body)")
            }
        }

        @Test("answers probes without a key, by GET and HEAD, and asks no upstream")
        func health() throws {
            for (path, status) in [("/health/front-door", 200), ("/powerproxy/health/liveness", 204)] {
                let client = try gateway.connect()
                for method in ["GET", "HEAD", "GET"] {
                    try client.request(method, path, key: nil)
                    let response = try client.response(to: method)
                    #expect(response.status == status)
                    #expect(response.body.isEmpty == (status == 204 || method == "HEAD"))
                }
                try client.request("POST", path, key: nil)
                #expect(try client.response().status == 405)
            }
            #expect(upstream.requests.isEmpty)
        }
    }
}
