internal import Foundation
internal import Gateway
internal import Glibc
internal import TestSupport
internal import Testing
internal import TokenMill

extension Integration {
    @Suite("Hooks that take their time")
    struct HookBoundTests {
        /// A gate that a hook waits at, as a program waits for a service that does not answer.
        private final class Gate: Sendable {
            let isOpen = Flag()
            func pass() async throws { while !isOpen.isUp { try await Task.sleep(for: .milliseconds(2)) } }
        }

        @Test("fail their own exchange alone after five seconds, whether they wait or block their thread")
        func hanging() throws {
            let upstream = try ScriptedUpstream.answering()
            let gate = Gate()
            let unblocked = Flag()
            var hook = ScriptedHook()
            hook.onRequest = { request in
                if request.headers.value(of: "x-hang") == "waiting" {
                    // Not even told to stop does it.
                    while !gate.isOpen.isUp { try? await Task.sleep(for: .milliseconds(20)) }
                }
                return .pass()
            }
            hook.onCall = { call in
                if call.request.headers.value(of: "x-hang") == "blocking" { while !unblocked.isUp { usleep(1000) } }
                return .pass()
            }
            let gateway = try HookedGateway([hook], upstream: upstream)
            let start = ContinuousClock.now
            let hanging = try ["waiting", "blocking", "waiting"].map { kind in
                let client = try gateway.connect()
                try client.request("POST", HookedGateway.chat, headers: ["x-hang: \(kind)"], body: Array("{}".utf8))
                return client
            }
            // Others go on, on the same event loops and the same threads for hooks.
            var slowest = Duration.zero
            var count = 0
            while ContinuousClock.now - start < .seconds(2) {
                let begin = ContinuousClock.now
                #expect(try gateway.ask().status == 200)
                slowest = max(slowest, ContinuousClock.now - begin)
                count += 1
            }
            #expect(count > 10)
            #expect(slowest < .seconds(2))
            for client in hanging {
                let response = try client.response()
                #expect(response.status == 504 && response.errorCode == "HookTimeout")
                #expect(response.text.contains("'scripted'"))
            }
            #expect(ContinuousClock.now - start >= .seconds(5))
            #expect(try gateway.metric(#"sluice_hook_failures_total{hook="scripted",kind="timed_out"}"#) == 3)
            #expect(try gateway.metric("sluice_hooks_behind") >= 3)
            #expect(Set(hook.settlements.current.map(\.status)) == [200])
            gate.isOpen.raise()
            unblocked.raise()
            // The calls return at last, and what they do is not heard; the exchange's end is.
            try wait(for: "what was left behind") { try gateway.metric("sluice_hooks_behind") == 0 }
            let failed = hook.settlements.current.filter { $0.errorCode == "HookTimeout" }
            #expect(failed.count == 3)
            #expect(upstream.requests.count == count)
        }

        @Test("hold up a stream once 256 KiB of events wait for them, and lose none")
        func slow() throws {
            let event = "data: {\"pad\":\"" + String(repeating: "a", count: 1000) + "\"}\n\n"
            let events = 30_000
            let sent = Shared(0)
            let upstream = try ScriptedUpstream { connection in
                _ = try connection.readRequest()
                try connection.send(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: \(events * event.utf8.count)\r\n\r\n"
                )
                let piece = String(repeating: event, count: 100)
                for _ in 0..<events / 100 {
                    try connection.send(piece)
                    sent.change { $0 += 100 }
                }
                try connection.awaitClose()
            }
            let gate = Gate()
            var hook = ScriptedHook()
            hook.onEvent = { _ in try await gate.pass() }
            let gateway = try HookedGateway([hook], upstream: upstream)
            let client = try gateway.connect()
            try client.request(
                "POST",
                HookedGateway.chat,
                headers: ["content-type: application/json"],
                body: Array(#"{"stream":true}"#.utf8)
            )
            try client.fill { $0.count > 100_000 }
            // Sockets have room for a few megabytes; then nothing moves.
            var before = -1
            try wait(for: "the stream to stand") {
                usleep(200_000)
                defer { before = sent.current }
                return before == sent.current
            }
            #expect(sent.current < events)
            gate.isOpen.raise()
            let response = try client.response(until: .in(.seconds(60)))
            #expect(response.body.count == events * event.utf8.count)
            try wait(for: "the settlement") { hook.settlements.current.count == 1 }
            let told = hook.told.current.filter { $0.hasPrefix("event") }
            #expect(told.count == events)
        }

        @Test("are not waited for by a client that leaves, and hear that it did")
        func leaving() throws {
            let upstream = try ScriptedUpstream.answering()
            let cancelled = Flag()
            var hook = ScriptedHook()
            hook.onCall = { _ in
                do { try await Task.sleep(for: .seconds(60)) } catch { cancelled.raise() }
                return .pass()
            }
            let gateway = try HookedGateway([hook], upstream: upstream)
            let client = try gateway.connect()
            try client.request("POST", HookedGateway.chat, body: Array("{}".utf8))
            try wait(for: "the call") { hook.told.current.contains("client") }
            client.socket.close()
            try cancelled.await("the cancellation")
            try wait(for: "the settlement") { hook.settlements.current.first?.status == 499 }
            #expect(upstream.requests.isEmpty)
            #expect(try gateway.metric(#"sluice_hook_failures_total{hook="scripted",kind="threw"}"#) == 0)
        }

        @Test("refuse what comes when 1,024 exchanges are behind, and nothing once they have caught up")
        func behind() throws {
            let upstream = try ScriptedUpstream.answering()
            let gate = Gate()
            var hook = ScriptedHook()
            hook.onSettled = { _ in while !gate.isOpen.isUp { try? await Task.sleep(for: .milliseconds(100)) } }
            let gateway = try HookedGateway([hook], upstream: upstream)
            let client = try gateway.connect()
            var served = 0
            var refused: Response?
            while refused == nil, served < 1100 {
                try client.request("GET", "/openai/models")
                let response = try client.response()
                if response.status == 200 { served += 1 } else { refused = response }
            }
            #expect(refused?.status == 503 && refused?.errorCode == "HooksOverloaded")
            #expect(refused?.header("retry-after-ms") == "1000")
            #expect(1024...1026 ~= served)
            gate.isOpen.raise()
            try wait(for: "those behind") { try gateway.metric("sluice_hooks_behind") == 0 }
            try client.request("GET", "/openai/models")
            #expect(try client.response().status == 200)
        }

        @Test("are told first where a token then waits for its key, and the body waits for both")
        func token() throws {
            let entra = try EntraStandIn([TokenDraft.Known.keyID: .first])
            let upstream = try ScriptedUpstream.answering()
            let hook = ScriptedHook()
            let gateway = try HookedGateway([hook], file: EntraGatewayTests.file(entra, upstream), upstream: upstream)
            let token = EntraGatewayTests.token(entra)
            let client = try gateway.connect()
            let body = Array("{\"a\":\"\(String(repeating: "b", count: 100_000))\"}".utf8)
            try client.request(
                "POST",
                "/openai/deployments/any/chat/completions",
                headers: ["content-type: application/json", "Authorization: Bearer \(token)"],
                body: body,
                key: nil
            )
            #expect(try client.response().status == 200)
            #expect(upstream.requests.map(\.body) == [body])
            try wait(for: "the settlement") { hook.settlements.current.count == 1 }
            #expect(hook.told.current == ["request", "client", "head", "settled 200"])
        }
    }
}
