internal import Foundation
internal import TestSupport
internal import Testing

extension Integration {
    /// Responses and files, which live on the resource that made them.
    @Suite("What lives on one resource")
    struct ResourceTests {
        /// Another resource, whose ids are its own: two stand-ins would draw the same.
        private static func another() throws -> ScriptedUpstream {
            let made = Mutex(0)
            return try ScriptedUpstream { connection in
                while true {
                    let request = try connection.readRequest()
                    var (status, type, text) = ("200 OK", "application/json", "{}")
                    if request.requestLine.hasPrefix("POST") {
                        let number = made.withLock { count in
                            count += 1
                            return count
                        }
                        text = #"{"object":"response","metadata":{"x":"id"},"id":"resp_east\#(number)"}"#
                        if String(decoding: request.body, as: UTF8.self).contains("\"stream\":true") {
                            type = "text/event-stream"
                            text =
                                "event: response.created\ndata: {\"type\":\"response.created\",\"response\":\(text)}\n\n"
                                + "data: {\"type\":\"response.output_text.delta\",\"delta\":\"Hi\"}\n\n"
                        }
                    } else if !request.requestLine.contains("/resp_east") {
                        (status, text) = ("404 Not Found", #"{"error":{"code":"404","message":"x"}}"#)
                    }
                    try connection.send(
                        "HTTP/1.1 \(status)\r\ncontent-type: \(type)\r\ncontent-length: \(text.utf8.count)\r\n\r\n\(text)"
                    )
                }
            }
        }

        private static func file(_ west: MockAzure, _ east: ScriptedUpstream, redis: Int?) -> String {
            let key = GatewayConfigurationText.upstreamKey
            return
                ((redis.map { ["coordination: {redis: \"redis://127.0.0.1:\($0)\", deadline: 1s}"] } ?? []) + [
                    "listen: 127.0.0.1:0", "admin: 127.0.0.1:0", "clients:",
                    "  - {name: team-a, api_keys: [\(GatewayConfigurationText.key)]}",
                    "  - {name: team b, api_keys: [\(GatewayConfigurationText.otherKey)]}", "endpoints:",
                    "  - {name: west, url: \"http://127.0.0.1:\(west.port)\", api_key: \(key)}",
                    "  - {name: east, url: \"http://127.0.0.1:\(east.port)\", api_key: \(key)}", "models:",
                    "  - {name: gpt-4o, deployments: [{endpoint: west}, {endpoint: east}]}",
                    "  - {name: only-west, deployments: [{endpoint: west, deployment: gpt-4o}]}",
                ]).joined(separator: "\n") + "\n"
        }

        private static func ask(
            _ gateway: Gateway,
            _ method: String,
            _ path: String,
            _ body: String? = nil,
            key: String = GatewayConfigurationText.key
        ) throws -> Response {
            let client = try gateway.connect()
            try client.request(method, path, body: body.map { Array($0.utf8) }, key: key)
            return try client.response()
        }

        private static func id(_ response: Response) throws -> String {
            #expect(response.status == 200, "\(response.text)")
            let text = response.text
            let start = try #require(text.range(of: "\"id\":\"resp_") ?? text.range(of: "\"id\": \"resp_"))
            return "resp_" + text[start.upperBound...].prefix { $0 != "\"" }
        }

        private static func place(_ response: Response) -> String { response.header("x-sluice-deployment") ?? "" }

        @Test("is found again by every replica, by its own client alone, and nowhere else", arguments: [true, false])
        func responses(stream: Bool) throws {
            let (west, east, redis) = (try MockAzure(), try Self.another(), try RedisServer())
            let file = Self.file(west, east, redis: redis.port)
            let gateways = try (0..<2).map { _ in try Gateway(file: file, upstream: west) }
            for gateway in gateways {
                try wait(for: "Redis to be in use") { try gateway.metric("sluice_limiter_shared") == 1 }
            }
            var places: Set<String> = []
            for _ in 0..<12 {
                let made = try Self.ask(
                    gateways[0],
                    "POST",
                    "/openai/v1/responses",
                    #"{"model":"gpt-4o","input":"Hello"\#(stream ? #","stream":true"# : "")}"#
                )
                let id = try Self.id(made)
                let place = try #require(Self.place(made).split(separator: "/").first)
                places.insert(String(place))
                try wait(for: "Redis to know") { try redis.ask("EXISTS", "{0}:v1:o:\(id)") == "1" }
                for gateway in gateways {
                    let found = try Self.ask(gateway, "GET", "/openai/v1/responses/\(id)")
                    #expect(found.status == 200, "\(found.text)")
                    #expect(Self.place(found) == place)
                    let other = try Self.ask(
                        gateway,
                        "GET",
                        "/openai/v1/responses/\(id)",
                        key: GatewayConfigurationText.otherKey
                    )
                    #expect(other.status == 404)
                    #expect(other.errorCode == "NotFound")
                }
                // What goes on from it goes where it is.
                let next = #"{"model":"gpt-4o","input":"And","previous_response_id":"\#(id)"}"#
                for _ in 0..<2 {
                    let further = try Self.ask(gateways[1], "POST", "/openai/v1/responses", next)
                    #expect(further.status == 200, "\(further.text)")
                    #expect(Self.place(further) == "\(place)/gpt-4o")
                }
                // However the name is spelled.
                let spelled = next.replacing("previous_response_id", with: "previous_response\\u005fid")
                for body in [next, spelled] {
                    let stolen = try Self.ask(
                        gateways[1],
                        "POST",
                        "/openai/v1/responses",
                        body,
                        key: GatewayConfigurationText.otherKey
                    )
                    #expect(stolen.status == 404)
                }
                if place == "east" {
                    let elsewhere = next.replacing("\"gpt-4o\"", with: "\"only-west\"")
                    #expect(try Self.ask(gateways[1], "POST", "/openai/v1/responses", elsewhere).status == 404)
                }
            }
            #expect(places == ["west", "east"])
            let term = try #require(
                Int(
                    try redis.ask(
                        "PTTL",
                        try redis.ask("KEYS", "*:o:*").split(separator: "\n").first.map(String.init) ?? ""
                    )
                )
            )
            #expect((2_591_000_000...2_592_000_000).contains(term))
        }

        @Test(
            "is remembered by a single replica without Redis as well; what nobody has seen goes to the first endpoint"
        )
        func alone() throws {
            let (west, east) = (try MockAzure(), try Self.another())
            let gateway = try Gateway(file: Self.file(west, east, redis: nil), upstream: west)
            for _ in 0..<8 {
                let made = try Self.ask(gateway, "POST", "/openai/v1/responses", #"{"model":"gpt-4o","input":"Hello"}"#)
                let id = try Self.id(made)
                #expect(try Self.ask(gateway, "GET", "/openai/v1/responses/\(id)").status == 200)
                let other = try Self.ask(
                    gateway,
                    "DELETE",
                    "/openai/responses/\(id)?api-version=2025-04-01-preview",
                    key: GatewayConfigurationText.otherKey
                )
                #expect(other.status == 404)
            }
            let unknown = try Self.ask(gateway, "GET", "/openai/v1/responses/resp_unknown")
            #expect(unknown.status == 404)
            #expect(Self.place(unknown) == "west")
        }

        @Test("models that are not named go on under their own names, each with the limit of the others")
        func otherModels() throws {
            let upstream = try MockAzure()
            let key = GatewayConfigurationText.upstreamKey
            let gateway = try Gateway(
                file: """
                    listen: 127.0.0.1:0
                    admin: 127.0.0.1:0
                    clients:
                      - name: team-a
                        api_keys: [\(GatewayConfigurationText.key)]
                        model_limits: {gpt-4o: {requests_per_minute: 3}, "*": {requests_per_minute: 2}}
                    endpoints: [{name: west, url: "http://127.0.0.1:\(upstream.port)", api_key: \(key)}]
                    models:
                      - {name: gpt-4o, deployments: [{endpoint: west, deployment: gpt-4o-2024}]}
                      - {name: "*", deployments: [{endpoint: west}]}

                    """,
                upstream: upstream
            )
            func statuses(_ model: String) throws -> [Int] {
                try (0..<4).map { _ in
                    let body = #"{"model":"\#(model)","messages":[{"role":"user","content":"Hi"}]}"#
                    return try Self.ask(gateway, "POST", "/openai/v1/chat/completions", body).status
                }
            }
            #expect(try statuses("gpt-4o") == [200, 200, 200, 429])
            #expect(try statuses("gpt-5-mini") == [200, 200, 429, 429])
            #expect(try statuses("o3") == [200, 200, 429, 429])
            #expect(try statuses("not a name") == [404, 404, 404, 404])
            #expect(try gateway.metric("sluice_requests_total", "model=\"*\"", "status=\"2xx\"") == 4)
        }
    }
}
