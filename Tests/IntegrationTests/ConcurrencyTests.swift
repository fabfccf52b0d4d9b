internal import TestSupport
internal import Testing

extension Integration {
    @Suite("Requests at the same time")
    struct ConcurrencyTests {
        @Test("do not wait for each other's answers, not even the very first ones of an event loop")
        func independent() throws {
            let goOn = Flag()
            let upstream = try ScriptedUpstream { connection in
                while true {
                    let request = try connection.readRequest()
                    if request.target == "/openai/slow" { try goOn.await("the test's word") }
                    try connection.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                }
            }
            var configuration = GatewayConfigurationText()
            configuration.server = ["threads: 1"]
            let gateway = try Gateway(configuration, upstream: upstream)
            let slow = try gateway.connect()
            let others = try (0..<10).map { _ in try gateway.connect() }
            try slow.request("GET", "/openai/slow")
            for client in others { try client.request("GET", "/openai/fast") }
            for client in others { #expect(try client.response(until: .in(.seconds(5))).status == 200) }
            goOn.raise()
            #expect(try slow.response().status == 200)
        }

        @Test("wait for a connection if there are no more, and are refused with 503 if that takes too long")
        func boundedConnections() throws {
            let goOn = Flag()
            let upstream = try ScriptedUpstream { connection in
                while true {
                    _ = try connection.readRequest()
                    try goOn.await("the test's word")
                    try connection.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                }
            }
            var configuration = GatewayConfigurationText()
            configuration.server = ["threads: 1"]
            configuration.endpoint = ["connections: {max: 2, max_wait: 300ms, max_waiting: 1}"]
            let gateway = try Gateway(configuration, upstream: upstream)
            let served = try (0..<2).map { _ in try gateway.connect() }
            for client in served { try client.request("GET", "/openai/x") }
            try wait(for: "both requests") { upstream.requests.count == 2 }

            let waiting = try gateway.connect()
            try waiting.request("GET", "/openai/x")
            let tooMany = try gateway.connect()
            try wait(for: "the third to be in line") { try gateway.admin("/status").text.contains("\"waiting\":1") }
            try tooMany.request("GET", "/openai/x")
            let refused = try tooMany.response()
            #expect(refused.status == 503)
            #expect(refused.errorCode == "upstream_pool_full")
            #expect(refused.header("retry-after") != nil)
            let late = try waiting.response()
            #expect(late.status == 503)
            #expect(late.errorCode == "upstream_pool_timeout")
            #expect(upstream.connections == 2)

            goOn.raise()
            for client in served { #expect(try client.response().status == 200) }
            try waiting.request("GET", "/openai/x")
            #expect(try waiting.response().status == 200)
            #expect(upstream.connections == 2)
        }
    }
}
