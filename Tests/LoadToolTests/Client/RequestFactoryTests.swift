import Foundation
import NIOCore
import Testing

@testable import LoadTool

@Suite("Requests")
struct RequestFactoryTests {
    private func factory(_ requests: String) throws -> RequestFactory {
        var scenario = try Scenario.read(
            """
            load: {open: {phases: [{rate: 10, for: 5s}]}}
            targets: ["http://127.0.0.1:8080", "http://127.0.0.1:8081"]
            clients: [{name: a, share: 3, key: k}, {name: b, token: t}]
            requests: \(requests)
            """,
            file: "x.yaml",
            from: source()
        )
        scenario.seed = 11
        return RequestFactory(scenario)
    }

    private func parts(_ factory: RequestFactory, _ index: Int) throws -> (head: [Substring], body: String) {
        var buffer = ByteBuffer()
        factory.write(factory.draw(index), into: &buffer)
        let text = String(buffer: buffer)
        let end = try #require(text.firstRange(of: "\r\n\r\n"))
        return (text[..<end.lowerBound].split(separator: "\r\n"), String(text[end.upperBound...]))
    }

    private let mixed = """
        [{model: 'say "hi"', stream: true, prompt_tokens: {uniform: [1, 900]}, max_tokens: {choice: [5, 9]}, user: "x\\ty"}, {get: /health}]
        """

    @Test("are whole: the length is right and the body is JSON with what was asked for")
    func whole() throws {
        let factory = try factory(mixed)
        var kinds = Set<Int>()
        for index in 0..<50 {
            let draw = factory.draw(index)
            kinds.insert(draw.kind)
            let (head, body) = try parts(factory, index)
            #expect(head.contains("host: 127.0.0.1:\(8_080 + draw.target)"))
            #expect(head.contains(draw.client == 0 ? "api-key: k" : "authorization: Bearer t"))
            guard draw.kind == 0 else {
                #expect(head[0] == "GET /health HTTP/1.1" && body.isEmpty)
                continue
            }
            #expect(head.contains("content-length: \(body.utf8.count)"))
            let json = try #require(try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])
            #expect(json["model"] as? String == "say \"hi\"")
            #expect(json["max_tokens"] as? Int == draw.outputTokens)
            #expect(json["stream"] as? Bool == true)
            let messages = try #require(json["messages"] as? [[String: String]])
            #expect(messages[0]["content"]?.utf8.count == draw.promptTokens * 4)
        }
        #expect(kinds == [0, 1])
    }

    @Test("are the same for the same seed and number, whoever drew before")
    func repeatable() throws {
        let (first, second) = (try factory(mixed), try factory(mixed))
        let forwards = (0..<100).map(first.draw)
        let backwards = (0..<100).reversed().map(second.draw)
        #expect(forwards == backwards.reversed())
        #expect(Set(forwards.map(\.promptTokens)).count > 30)
    }

    @Test("go to clients by their shares and to targets in turn")
    func shares() throws {
        let factory = try factory("[{model: m}]")
        let draws = (0..<4_000).map(factory.draw)
        #expect((2_850...3_150).contains(draws.count { $0.client == 0 }))
        #expect(draws.count { $0.target == 1 } == 2_000)
        #expect(factory.isConstant(draws[0]))
    }

    @Test("give up the fraction of streams that they should")
    func aborts() throws {
        let factory = try factory("[{model: m, stream: true, abort: {fraction: 25%, after_events: {uniform: [2, 6]}}}]")
        let aborted = (0..<4_000).compactMap { factory.draw($0).abortAfter }
        #expect((880...1_120).contains(aborted.count))
        #expect(aborted.allSatisfy { (2...6).contains($0) })
    }
}
