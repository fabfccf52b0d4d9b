internal import Foundation
internal import TestSupport
internal import Testing

@testable internal import Gateway

extension Integration {
    /// What Front Door is configured to do in `deploy/bicep`, seen from the gateway: its id, its headers, its probes, its kept
    /// connections.
    @Suite("Behind Front Door")
    struct FrontDoorGatewayTests {
        private static let id = "dddddddd-0000-0000-0000-000000000001"
        private static let nextID = "dddddddd-0000-0000-0000-000000000002"
        private let upstream: ScriptedUpstream
        private let gateway: Gateway

        init() throws {
            upstream = try ScriptedUpstream.answering()
            var configuration = GatewayConfigurationText()
            configuration.top = ["front_door: {ids: [\(Self.id), \(Self.nextID)]}"]
            gateway = try Gateway(configuration, upstream: upstream)
        }

        private func ask(_ path: String, _ headers: [String]) throws -> Response {
            let client = try gateway.connect()
            try client.request("GET", path, headers: headers)
            return try client.response()
        }

        @Test("a request with one of the profiles' ids is served", arguments: [id, nextID, id.uppercased()])
        func served(id: String) throws {
            #expect(try ask("/openai/models", ["X-Azure-FDID: \(id)"]).status == 200)
        }

        @Test(
            "a request without the id, with another, or with two is answered 403, even with a good key",
            arguments: [
                [], ["X-Azure-FDID: dddddddd-0000-0000-0000-000000000003"], ["X-Azure-FDID: "],
                ["X-Azure-FDID: \(id)", "x-azure-fdid: \(id)"], ["X-Azure-FDID: \(id), \(id)"],
                ["X-Azure-FDID: \(id)", "X-Azure-FDID: dddddddd-0000-0000-0000-000000000003"],
            ]
        )
        func refused(headers: [String]) throws {
            let response = try ask("/openai/models", headers)
            #expect(response.status == 403)
            #expect(response.errorCode == "Forbidden")
            #expect(!response.text.lowercased().contains("door"), "a stranger does not learn what is missing")
            #expect(upstream.requests.isEmpty)
            #expect(try gateway.metric("sluice_requests_total", "status=\"4xx\"") == 1)
        }

        @Test("a refused upload is not read to its end")
        func refusedUpload() throws {
            let client = try gateway.connect()
            try client.send(
                "POST /openai/v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nexpect: 100-continue\r\ncontent-length: 1000000\r\n\r\n"
            )
            let response = try client.response(to: "POST")
            #expect(response.status == 403)
            #expect(response.interim.isEmpty)
        }

        @Test("the platform's probes need no id", arguments: ["/health/front-door", "/powerproxy/health/liveness"])
        func probes(path: String) throws {
            #expect(try [200, 204].contains(ask(path, []).status))
        }

        @Test("the address is Front Door's word for it, whatever the client wrote; the reference is in the log")
        func address() throws {
            let spoofed = [
                "X-Forwarded-For: 203.0.113.1", "X-Azure-ClientIP: 203.0.113.2", "Forwarded: for=203.0.113.3",
                "X-Real-IP: 203.0.113.4", "X-Forwarded-Host: elsewhere", "X-Forwarded-Proto: http",
            ]
            let headers = ["X-Azure-FDID: \(Self.id)", "X-Azure-SocketIP: 192.0.2.9", "X-Azure-Ref: 0abc+/=="]
            #expect(try ask("/openai/a", spoofed + headers).status == 200)
            let line = try gateway.accessLogLine(path: "/openai/a")
            #expect(line["client_address"] as? String == "192.0.2.9")
            #expect(line["front_door_ref"] as? String == "0abc+/==")

            _ = try ask("/openai/b", headers + ["X-Azure-SocketIP: 203.0.113.5"])
            #expect(try gateway.accessLogLine(path: "/openai/b")["client_address"] == nil, "two are none")
            let forwarded = upstream.requests.flatMap(\.headers).map { $0.name.lowercased() }
            #expect(!forwarded.contains { $0.hasPrefix("x-azure") || $0.hasPrefix("x-forwarded") || $0 == "forwarded" })
        }

        @Test("of a request that did not come through, nothing is believed")
        func refusedAddress() throws {
            _ = try ask("/openai/c", ["X-Azure-SocketIP: 192.0.2.9", "X-Azure-Ref: forged", "X-Azure-FDID: none"])
            let line = try gateway.accessLogLine(path: "/openai/c")
            #expect(line["client_address"] as? String == "127.0.0.1")
            #expect(line["front_door_ref"] == nil)
            #expect(line["error"] as? String == "Forbidden")
        }

        @Test("a kept connection outlives Front Door's, which keeps one for 90 seconds")
        func keepAlive() throws {
            #expect(GatewayConfiguration().server.idleTimeout > .seconds(90))
            let client = try gateway.connect()
            for _ in 0..<3 {
                try client.request("GET", "/openai/models", headers: ["X-Azure-FDID: \(Self.id)"])
                let response = try client.response()
                #expect(response.status == 200)
                #expect(!response.closes)
            }
        }
    }

    @Suite("Without Front Door")
    struct NoFrontDoorTests {
        @Test("its headers say nothing, and the peer is the client")
        func unbelieved() throws {
            let gateway = try Gateway(upstream: ScriptedUpstream.answering())
            let client = try gateway.connect()
            try client.request("GET", "/openai/d", headers: ["X-Azure-SocketIP: 192.0.2.9", "X-Azure-Ref: forged"])
            #expect(try client.response().status == 200)
            let line = try gateway.accessLogLine(path: "/openai/d")
            #expect(line["client_address"] as? String == "127.0.0.1")
            #expect(line["front_door_ref"] == nil)
        }
    }
}
