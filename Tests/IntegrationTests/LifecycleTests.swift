internal import Foundation
internal import Glibc
internal import TestSupport
internal import Testing

extension Integration {
    @Suite("The life of a gateway")
    struct LifecycleTests {
        private static let event = "data: {\"a\":1}\n\n"

        /// An upstream that begins a stream and ends it at the test's word.
        private static func streaming(until end: Flag) throws -> ScriptedUpstream {
            try ScriptedUpstream { connection in
                guard try connection.readRequest().target == "/openai/stream" else {
                    return try connection.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                }
                try connection.send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n\(Self.event)")
                while !end.isUp, try !connection.socket.hasInput(until: .in(.milliseconds(10))) {}
                if end.isUp { try connection.send("data: [DONE]\n\n") }
            }
        }

        private func gateway(drain: String, _ upstream: ScriptedUpstream) throws -> Gateway {
            var configuration = GatewayConfigurationText()
            configuration.server = ["drain: \(drain)"]
            return try Gateway(configuration, upstream: upstream)
        }

        /// Opens a stream and reads its first event.
        private func openStream(_ client: Client) throws -> BodyReader {
            try client.request("GET", "/openai/stream")
            var body = try BodyReader(client)
            #expect(try body.read(atLeast: Self.event.utf8.count) == Array(Self.event.utf8))
            return body
        }

        @Test("ends with exit status 0 after its streams, being not ready but still serving before that")
        func graceful() throws {
            let end = Flag()
            let gateway = try gateway(drain: "{lame_duck: 1500ms, grace: 20s}", Self.streaming(until: end))
            let client = try gateway.connect()
            let idle = try gateway.connect()
            try idle.request("GET", "/openai/models")
            #expect(try idle.response().status == 200)
            var body = try openStream(client)
            #expect(try gateway.admin("/health/ready").status == 200)

            gateway.process.signal(SIGTERM)
            try wait(for: "not to be ready") { try gateway.admin("/health/ready").status == 503 }
            #expect(try gateway.admin("/health/live").status == 200)
            #expect(try gateway.metric("sluice_ready") == 0)
            // The load balancer has not noticed yet: requests on old and new connections are served.
            for late in [idle, try gateway.connect()] {
                try late.request("GET", "/openai/models")
                let response = try late.response()
                #expect(response.status == 200)
                #expect(response.closes)
                #expect(try late.isClosed())
            }
            let probe = try gateway.connect()
            try probe.request("GET", "/health/front-door", key: nil)
            #expect(try probe.response().status == 200)

            // Then nobody is let in any more, and the stream still runs.
            try wait(for: "the listener to close") { (try? TCPSocket.connect(port: gateway.port)) == nil }
            #expect(gateway.process.exitStatus == nil)
            end.raise()
            #expect(String(decoding: try body.readToEnd(), as: UTF8.self) == "data: [DONE]\n\n")
            #expect(try client.isClosed())
            #expect(try gateway.process.awaitExit() == .exited(0))
        }

        @Test("ends streams with an error event when the grace is over, and exits with status 0")
        func graceOver() throws {
            let gateway = try gateway(drain: "{lame_duck: 0s, grace: 300ms}", Self.streaming(until: Flag()))
            let client = try gateway.connect()
            var body = try openStream(client)
            gateway.process.signal(SIGTERM)
            let last = String(decoding: try body.readToEnd(), as: UTF8.self)
            #expect(last.hasPrefix("data: {\"error\":{\"code\":\"GatewayShuttingDown\""))
            #expect(last.hasSuffix("}}\n\n"))
            #expect(try client.isClosed())
            #expect(try gateway.process.awaitExit() == .exited(0))
        }

        @Test("answers 503 to what has no answer yet when the grace is over")
        func graceOverBeforeTheHead() throws {
            let upstream = try ScriptedUpstream { connection in
                _ = try connection.readRequest()
                try connection.awaitClose()
            }
            let gateway = try gateway(drain: "{lame_duck: 0s, grace: 300ms}", upstream)
            let client = try gateway.connect()
            try client.request("GET", "/openai/models")
            try wait(for: "the request") { upstream.requests.count == 1 }
            gateway.process.signal(SIGTERM)
            let response = try client.response()
            #expect(response.status == 503)
            #expect(response.errorCode == "GatewayShuttingDown")
            #expect(response.closes)
            #expect(try gateway.process.awaitExit() == .exited(0))
        }

        @Test("ends at once when it is idle")
        func idle() throws {
            let gateway = try gateway(drain: "{lame_duck: 0s, grace: 20s}", ScriptedUpstream.answering())
            let client = try gateway.connect()
            try client.request("GET", "/openai/models")
            #expect(try client.response().status == 200)
            let start = ContinuousClock.now
            gateway.process.signal(SIGINT)
            #expect(try gateway.process.awaitExit() == .exited(0))
            #expect(start.duration(to: .now) < .seconds(5))
            #expect(try client.isClosed())
        }

        @Test("ends with exit status 130 at the second signal, whatever runs")
        func secondSignal() throws {
            let gateway = try gateway(drain: "{lame_duck: 1m, grace: 1m}", Self.streaming(until: Flag()))
            let client = try gateway.connect()
            _ = try openStream(client)
            gateway.process.signal(SIGTERM)
            try wait(for: "not to be ready") { try gateway.admin("/health/ready").status == 503 }
            gateway.process.signal(SIGTERM)
            #expect(try gateway.process.awaitExit() == .exited(130))
        }
    }
}
