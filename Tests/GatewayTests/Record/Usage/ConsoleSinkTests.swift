import Glibc
import NIOPosix
import Testing

@testable import Gateway

@Suite("Usage on standard output", .timeLimit(.minutes(2)))
struct ConsoleSinkTests {
    private static func event(_ id: UInt64) -> UsageEvent {
        var event = UsageEvent()
        event.id = id
        event.client = "team-\(id)"
        event.attempts = [.init(endpoint: "west", deployment: "gpt-4o", status: 200)]
        return event
    }

    /// Reads until each of the texts has come, or the pipe has ended.
    private static func read(_ descriptor: Int32, until texts: [String]) -> String {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while !texts.allSatisfy({ text.contains($0) }) {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count <= 0 { return text }
            text += String(decoding: buffer[..<count], as: UTF8.self)
        }
        return text
    }

    @Test("fails while its reader takes nothing, and comes once when it does again")
    func stalled() async throws {
        var ends: [Int32] = [-1, -1]
        let made = pipe(&ends)
        try #require(made == 0)
        let (reader, descriptor) = (ends[0], ends[1])
        let writer = LogWriter(descriptor: descriptor)
        let sink = ConsoleSink(writer: writer, patience: 50)
        // More than a pipe holds.
        writer.write([UInt8](repeating: UInt8(ascii: "x"), count: 200_000) + [UInt8(ascii: "\n")])
        let batch = [Self.event(1), Self.event(2)]
        for _ in 0..<3 {
            #expect(throws: SinkFailure.self) { try sink.write(batch) }
        }
        async let read = NIOThreadPool.singleton.runIfActive { Self.read(reader, until: ["team-2", "team-4"]) }
        let deadline = ContinuousClock.now + .seconds(60)
        var isTaken = false
        while !isTaken, ContinuousClock.now < deadline { isTaken = (try? sink.write(batch)) != nil }
        #expect(isTaken)
        // The next ones are others.
        isTaken = false
        while !isTaken, ContinuousClock.now < deadline {
            isTaken = (try? sink.write([Self.event(3), Self.event(4)])) != nil
        }
        let text = try await read
        for number in 1...4 { #expect(text.ranges(of: "team-\(number)\n").count == 1, "\(number)") }
        try await writer.shutdown()
        close(descriptor)
        close(reader)
    }
}
