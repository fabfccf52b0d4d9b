import Glibc
import NIOPosix
import Testing

@testable import Gateway

@Suite("The writer of the log", .timeLimit(.minutes(2)))
struct LogWriterTests {
    /// A pipe's two ends.
    private static func pipe() throws -> (reader: Int32, writer: Int32) {
        var ends: [Int32] = [-1, -1]
        let made = Glibc.pipe(&ends)
        try #require(made == 0)
        return (ends[0], ends[1])
    }

    private static func line(_ number: Int, length: Int = 1024) -> [UInt8] {
        let start = Array("\(number) ".utf8)
        return start + [UInt8](repeating: UInt8(ascii: "x"), count: length - start.count - 1) + [UInt8(ascii: "\n")]
    }

    private static func readAll(_ descriptor: Int32) -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count <= 0 { return all }
            all += buffer[..<count]
        }
    }

    /// Numbers of the lines, each of which must be whole.
    private static func numbers(_ bytes: [UInt8]) throws -> [Int] {
        #expect(bytes.last == UInt8(ascii: "\n"))
        return try bytes.split(separator: UInt8(ascii: "\n")).map { line in
            #expect(line.count == 1023)
            return try #require(Int(String(decoding: line.prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self)))
        }
    }

    @Test("writes everything, in order")
    func order() async throws {
        let (reader, descriptor) = try Self.pipe()
        async let written = NIOThreadPool.singleton.runIfActive { Self.readAll(reader) }
        let writer = LogWriter(descriptor: descriptor)
        for number in 0..<2_000 { writer.write(Self.line(number)) }
        try await writer.shutdown()
        close(descriptor)
        let bytes = try await written
        #expect(try Self.numbers(bytes) == Array(0..<2_000))
        #expect(writer.droppedBytes == 0)
        close(reader)
    }

    @Test("takes no more than its bound from those who write, and counts what it drops, while its reader takes nothing")
    func slowReader() async throws {
        let (reader, descriptor) = try Self.pipe()
        let writer = LogWriter(descriptor: descriptor, maxQueued: 100 << 10)
        let clock = ContinuousClock()
        let start = clock.now
        for number in 0..<10_000 { writer.write(Self.line(number)) }
        // Ten megabytes for a reader that is not there: whoever writes never waits for it.
        #expect(clock.now - start < .seconds(5))
        let dropped = writer.droppedBytes
        #expect(dropped >= (10_000 - 400) << 10)
        #expect(dropped % 1024 == 0)
        async let written = NIOThreadPool.singleton.runIfActive { Self.readAll(reader) }
        try await writer.shutdown()
        close(descriptor)
        let bytes = try await written
        let numbers = try Self.numbers(bytes)
        #expect(numbers.count == 10_000 - writer.droppedBytes / 1024)
        #expect(numbers == numbers.sorted())
        close(reader)
    }

    @Test("does not keep the process from ending when its reader takes nothing", arguments: [true, false])
    func deadReader(isBlocking: Bool) async throws {
        let (reader, descriptor) = try Self.pipe()
        if !isBlocking { #expect(fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0) }
        let writer = LogWriter(descriptor: descriptor)
        for number in 0..<1_000 { writer.write(Self.line(number)) }
        let clock = ContinuousClock()
        let start = clock.now
        try await writer.shutdown()
        #expect(clock.now - start < .seconds(120))
        // Lets the thread go that was left to itself.
        signal(SIGPIPE, SIG_IGN)
        close(reader)
        if isBlocking { try await writer.shutdown() }
        #expect(writer.droppedBytes > 0)
        close(descriptor)
    }

    @Test("drops what a full disk refuses, counts it, and goes on")
    func fullDisk() async throws {
        let descriptor = open("/dev/full", O_WRONLY | O_CLOEXEC)
        try #require(descriptor >= 0)
        let writer = LogWriter(descriptor: descriptor)
        for number in 0..<10 { writer.write(Self.line(number)) }
        try await writer.shutdown()
        #expect(writer.droppedBytes == 10 << 10)
        close(descriptor)
    }

    @Test(
        "begins on a line of its own after a line that was cut off",
        arguments: [(0, false), (1, true), (3, true), (4, false), (5, true), (8, false)]
    )
    func tornLine(count: Int, isTorn: Bool) {
        var end = LineEnd()
        end.wrote(Array("one\ntwo\n".utf8), count: count)
        #expect(end.isTorn == isTorn)
        end.wrote(Array("three\n".utf8), count: 6)
        #expect(!end.isTorn)
    }
}
