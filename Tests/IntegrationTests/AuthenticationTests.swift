internal import Testing

extension Integration {
    @Suite("Authentication")
    struct AuthenticationTests {
        private let upstream: ScriptedUpstream
        private let gateway: Gateway

        init() throws {
            upstream = try ScriptedUpstream.answering()
            gateway = try Gateway(upstream: upstream)
        }

        private func ask(_ headers: String...) throws -> Response {
            let client = try gateway.connect()
            try client.request("GET", "/openai/models?api-version=2024-10-21", headers: headers, key: nil)
            return try client.response()
        }

        @Test(
            "answers 401 in Azure's shape to whoever it does not know",
            arguments: [
                [], ["api-key: nobody"], ["api-key: "], ["authorization: Bearer nobody"], ["authorization: Bearer "],
                ["authorization: Basic a2V5"], ["authorization: key-of-team-a"], ["api-key: key-of-team-a " + "x"],
                ["api-key: key-of-team-b", "authorization: Bearer key-of-team-a"],
                ["api-key: key-of-team-a", "api-key: key-of-team-b"],
                ["authorization: Bearer key-of-team-a", "authorization: Bearer key-of-team-b"],
                ["api-key: key-of-the-upstream"], ["ocp-apim-subscription-key: key-of-team-a"],
            ]
        )
        func unknown(headers: [String]) throws {
            let client = try gateway.connect()
            try client.request("GET", "/openai/models", headers: headers, key: nil)
            let response = try client.response()
            #expect(response.status == 401)
            #expect(response.errorCode == "401")
            #expect(response.header("www-authenticate") == "Bearer")
            #expect(upstream.requests.isEmpty)
        }

        @Test("takes a key as api-key, as bearer token, or as both")
        func forms() throws {
            let key = GatewayConfigurationText.key
            #expect(try ask("api-key: \(key)").status == 200)
            #expect(try ask("Authorization: Bearer \(key)").status == 200)
            #expect(try ask("authorization: bearer  \(key)").status == 200)
            #expect(try ask("API-KEY: \(key)", "AUTHORIZATION: BEARER \(key)").status == 200)
            #expect(upstream.requests.count == 4)
        }

        @Test("answers 403 in Azure's shape for a model that the client may not use, in every form of asking")
        func forbidden() throws {
            let client = try gateway.connect()
            let json = Array(#"{"model":"gpt-4o-mini"}"#.utf8)
            try client.request("POST", "/openai/deployments/gpt-4o-mini/chat/completions", body: json)
            try client.request("POST", "/openai/v1/chat/completions", body: json)
            try client.request("POST", "/OpenAI/Deployments/gpt%2D4o-mini/chat/completions", body: json)
            for _ in 0..<3 {
                let response = try client.response()
                #expect(response.status == 403)
                #expect(response.errorCode == "PermissionDenied")
                #expect(response.text.contains("gpt-4o-mini"))
            }
            let form = Multipart(fields: [("model", "gpt-4o-mini")])
            try client.request(
                "POST",
                "/openai/v1/audio/transcriptions",
                headers: ["content-type: \(form.contentType)"],
                body: form.body
            )
            #expect(try client.response().status == 403)
            #expect(upstream.requests.isEmpty)
        }

        @Test("answers 401 instead where the configuration says so, as PowerProxy does")
        func unauthorized() throws {
            var configuration = GatewayConfigurationText()
            configuration.server = ["model_refusal_status: 401"]
            let gateway = try Gateway(configuration, upstream: upstream)
            let client = try gateway.connect()
            try client.request("POST", "/openai/deployments/gpt-4o-mini/chat/completions", body: Array("{}".utf8))
            let response = try client.response()
            #expect(response.status == 401)
            #expect(response.errorCode == "PermissionDenied")
            #expect(upstream.requests.isEmpty)
        }

        @Test("answers 404 in Azure's shape for a model that is not there")
        func unknownModel() throws {
            let client = try gateway.connect()
            let json = Array(#"{"model":"gpt-99"}"#.utf8)
            // Whether the client may use every model or only some.
            for key in [GatewayConfigurationText.key, GatewayConfigurationText.otherKey] {
                try client.request("POST", "/openai/deployments/gpt-99/chat/completions", body: json, key: key)
                try client.request("POST", "/openai/v1/chat/completions", body: json, key: key)
            }
            for _ in 0..<4 {
                let response = try client.response()
                #expect(response.status == 404)
                #expect(response.errorCode == "DeploymentNotFound")
            }
            #expect(upstream.requests.isEmpty)
        }
    }
}
