import Foundation
import Testing

@testable import MockAzure

/// The mock with several loops, over real sockets, asked by curl.
@Suite("A server with several loops", .serialized, .timeLimit(.minutes(2)))
final class ServerTests {
    private let server: MockServer

    init() throws {
        self.server = try MockServer.start(
            host: "127.0.0.1",
            port: 0,
            threads: 3,
            resource: MockResource(keys: ["key"], deployments: DeploymentTable([.init("gpt-4o"), .init("ptu")]))
        )
    }

    deinit { try? self.server.stop() }

    private func curl(_ path: String, _ arguments: String...) throws -> String {
        let common = ["-sS", "--max-time", "60", "-H", "api-key: key", "http://127.0.0.1:\(self.server.port)\(path)"]
        let outcome = try Command.run("/usr/bin/curl", common + arguments)
        guard outcome.status == 0 else { throw Unexpected("curl: \(outcome.status) \(outcome.errors)") }
        return outcome.output
    }

    /// Sends as many requests at once and tells how many had which status.
    private func send(_ count: Int, to deployment: String) throws -> [Substring: Int] {
        let path = "/openai/deployments/\(deployment)/chat/completions?api-version=2024-10-21&n=[1-\(count)]"
        let body = Mock.chatBody(#""max_tokens":5"#)
        let output = try self.curl(path, "--parallel", "--json", body, "-o", "/dev/null", "-w", "%{http_code}\n")
        return output.split(separator: "\n").reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }

    @Test("counts for all of them together, and its books agree with what its clients saw")
    func exact() throws {
        // 10 tokens each: 30 requests fit, whichever loop they come to.
        let told = try self.curl("/mock/limits", "--json", #"{"deployment":"gpt-4o","tpm":305}"#)
        #expect(told.contains(#""gpt-4o":{"kind":"chat","tpm":305,"remaining-tokens":305}"#))
        #expect(try self.send(100, to: "gpt-4o") == ["200": 30, "429": 70])
        let books = """
            "deployments":{"gpt-4o":{"requests":100,"by_status":{"200":30,"429":70},"refused":{"tokens":70},\
            "spilled_to":{},"tokens":{"prompt":150,"completion":150,"total":300,"cached":0,"reasoning":0}}}
            """
        #expect(try self.curl("/mock/stats").contains(books))
    }

    @Test("begins anew after a reset")
    func reset() throws {
        _ = try self.curl("/mock/limits", "--json", #"{"deployment":"gpt-4o","tpm":10}"#)
        #expect(try self.send(2, to: "gpt-4o") == ["200": 1, "429": 1])
        _ = try self.curl("/mock/reset", "-X", "POST")
        #expect(try self.send(2, to: "gpt-4o") == ["200": 1, "429": 1])
        #expect(try self.curl("/mock/stats").contains(#""gpt-4o":{"requests":2,"#))
    }

    @Test("gives back what a provisioned deployment did not spend")
    func settlement() throws {
        _ = try self.curl("/mock/limits", "--json", #"{"deployment":"ptu","provisioned":1000000}"#)
        #expect(try self.send(50, to: "ptu") == ["200": 50])
        // 500 tokens of a million were spent.
        #expect(try self.curl("/mock/limits").contains(#""ptu":{"kind":null,"provisioned":1000000,"utilization":0}"#))
    }

    @Test("tells the limits to GET, and refuses other methods and bad changes")
    func control() throws {
        #expect(try self.curl("/mock/limits") == #"{"deployments":{"gpt-4o":{"kind":"chat"},"ptu":{"kind":null}}}"#)
        let status = ["-o", "/dev/null", "-w", "%{http_code}"]
        #expect(try self.curl("/mock/limits", "-X", "DELETE", status[0], status[1], status[2], status[3]) == "405")
        #expect(try self.curl("/mock/limits", "--json", #"{"deployment":"x"}"#).contains("by the name 'x'"))
    }
}
