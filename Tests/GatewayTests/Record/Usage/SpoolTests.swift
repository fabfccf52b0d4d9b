import Foundation
import Glibc
import Logging
import NIOCore
import TestSupport
import Testing

@testable import Gateway

@Suite("The spool of usage events", .timeLimit(.minutes(2)))
struct SpoolTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static let logger: Logger = {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }()

    private static func frames(_ ids: Range<UInt64>) -> [UInt8] {
        var writer = UsageFrameWriter(capacity: 1)
        for id in ids {
            var record = ExchangeRecord(id: ExchangeID(process: id, count: 0), start: .now(), end: .now())
            record.client = 0
            record.clientName = "team-a"
            writer.write(record, received: 1) { _ in "" }
        }
        return writer.take()
    }

    /// A sink that keeps ids, and can be told to fail.
    private final class Target: Sendable {
        let ids = Mutex<[UInt64]>([])
        let fails = Mutex(false)
        let failures = Mutex(0)
    }

    private final class TestSink: UsageSink {
        let target: Target
        init(_ target: Target) { self.target = target }

        func write(_ events: [UsageEvent]) throws(SinkFailure) -> SinkProgress {
            if target.fails.withLock({ $0 }) {
                target.failures.withLock { $0 += 1 }
                throw SinkFailure(reason: "told to")
            }
            target.ids.withLock { $0 += events.map(\.id) }
            return SinkProgress()
        }
    }

    private func place() -> String { folder.url.appendingPathComponent("spool").path }

    private func spool(_ targets: [Target], bounds: UsageSpool.Bounds = .init()) throws -> UsageSpool {
        let place = try SpoolFolder(in: place())
        let cursors = targets.indices.map { SpoolCursor(reading: place.path(ofCursor: "test-\($0)")) }
        let spool = UsageSpool(
            folder: place,
            bounds: bounds,
            delivered: cursors.map { $0?.position },
            logger: Self.logger
        )
        spool.start()
        for (index, target) in targets.enumerated() {
            let runner = SinkRunner(name: "test-\(index)", spool: spool, sink: index, logger: Self.logger) { _ in
                TestSink(target)
            }
            runner.start(mark: "")
        }
        return spool
    }

    @Test("gives each sink every event once, though one of them fails for a while")
    func failing() async throws {
        let (good, bad) = (Target(), Target())
        bad.fails.withLock { $0 = true }
        let spool = try spool([good, bad])
        for batch in 0..<50 as Range<UInt64> { spool.add(Self.frames(batch * 10..<batch * 10 + 10), events: 10) }
        try await eventually("the good sink has all") { good.ids.withLock { $0.count } == 500 }
        try await eventually("the bad one was tried") { bad.failures.withLock { $0 } > 0 }
        #expect(bad.ids.withLock { $0.isEmpty })
        bad.fails.withLock { $0 = false }
        try await eventually("the bad one has caught up", within: 30) { bad.ids.withLock { $0.count } == 500 }
        #expect(good.ids.withLock { $0 } == Array(0..<500))
        #expect(bad.ids.withLock { $0 } == Array(0..<500))
        spool.end(milliseconds: 5000)
    }

    @Test("keeps for the next process what a sink did not take, and cuts off what was torn")
    func restart() async throws {
        let target = Target()
        target.fails.withLock { $0 = true }
        do {
            let spool = try spool([target])
            spool.add(Self.frames(0..<10), events: 10)
            spool.add(Self.frames(10..<20), events: 10)
            try await eventually("it is written") { spool.state.read { $0.memory } == 0 }
            spool.end(milliseconds: 5000)
        }
        let path = place() + "/0/1.events"
        let size = try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
        truncate(path, off_t(size - 3))
        target.fails.withLock { $0 = false }
        try await eventually("the folder is free") { (try? SpoolFolder(in: place()))?.path.hasSuffix("/0") == true }
        let spool = try spool([target])
        spool.add(Self.frames(20..<30), events: 10)
        try await eventually("all that was whole is there") { target.ids.withLock { $0.count } == 20 }
        #expect(target.ids.withLock { $0 } == Array(0..<10) + Array(20..<30))
        spool.end(milliseconds: 5000)
    }

    @Test("removes the oldest when a sink takes nothing for too long, and counts it")
    func bounded() async throws {
        let target = Target()
        target.fails.withLock { $0 = true }
        let frames = Self.frames(0..<10)
        let size = SpoolBlock.headBytes + frames.count
        let spool = try spool([target], bounds: .init(memory: 1 << 20, segment: size, disk: 3 * size))
        for _ in 0..<20 {
            spool.add(frames, events: 10)
            try await eventually("it is written") { spool.state.read { $0.memory } == 0 }
        }
        try await eventually("old ones are gone") { spool.state.read { $0.bytes } <= 3 * size }
        #expect(spool.state.read { $0.missed[0] } == 170)
        spool.end(milliseconds: 5000)
    }

    @Test("loses what finds no room in memory while the disk takes nothing, counts it, and goes on when it does")
    func diskFull() async throws {
        let target = Target()
        let frames = Self.frames(0..<10)
        let spool = try spool([target], bounds: .init(memory: 3 * frames.count, segment: 1 << 20, disk: 1 << 20))
        // A folder where the first segment should be, which no user can write to.
        let path = spool.folder.path(ofSegment: 1)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        for _ in 0..<5 { spool.add(frames, events: 10) }
        try await eventually("the disk was tried") { spool.state.read { $0.writeFailures } > 0 }
        #expect(spool.state.read { $0.lost } == 20)
        try FileManager.default.removeItem(atPath: path)
        try await eventually("the rest is there") { target.ids.withLock { $0.count } == 30 }
        #expect(spool.state.read { $0.memory } == 0)
        spool.end(milliseconds: 5000)
    }

    @Test("is one for each process")
    func folders() throws {
        let one = try SpoolFolder(in: place())
        let two = try SpoolFolder(in: place())
        #expect(one.path != two.path)
        #expect(one.name != two.name)
        #expect(one.name.utf8.count == 8)
    }

    @Test("keeps a sink's place whole or not at all")
    func cursor() throws {
        let path = folder.url.appendingPathComponent("a.cursor").path
        let cursor = SpoolCursor(position: SpoolPosition(segment: 7, offset: 99, events: 3), mark: "12 name.csv")
        try cursor.write(to: path)
        #expect(SpoolCursor(reading: path) == cursor)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        for count in 0..<bytes.count {
            try bytes[..<count].write(to: URL(fileURLWithPath: path))
            #expect(SpoolCursor(reading: path) == nil)
        }
    }

    @Test("gives files that continue where the mark says: torn lines and lines that come again are cut off")
    func files() throws {
        let place = folder.url.appendingPathComponent("files").path
        var events = [UsageEvent(), UsageEvent()]
        events[0].id = 1
        events[1].id = 2
        var sink: FileSink? = FileSink(folder: place, format: .jsonl, writer: "w", mark: "")
        let mark = try #require(try sink?.write([events[0]])).mark
        _ = try sink?.write([events[1]])
        sink = nil
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: place).first)
        let file = URL(fileURLWithPath: place).appendingPathComponent(name)
        let handle = try FileHandle(forWritingTo: file)
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("{\"torn".utf8))
        let next = FileSink(folder: place, format: .jsonl, writer: "w", mark: mark)
        _ = try next.write([events[1]])
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines[0].contains("\"id\":\"0000000000000001\""))
        #expect(lines[1].contains("\"id\":\"0000000000000002\""))
        // Somebody takes the file away: the next events are in a new one.
        try FileManager.default.removeItem(at: file)
        _ = try next.write([events[0]])
        #expect(try FileManager.default.contentsOfDirectory(atPath: place).count == 1)
    }

    @Test("gives files of bounded size, each with the head of its columns")
    func rotation() throws {
        let place = folder.url.appendingPathComponent("rotated").path
        let sink = FileSink(folder: place, format: .csv, writer: "w", mark: "", mostBytes: 1000)
        for _ in 0..<10 { _ = try sink.write([UsageEvent(), UsageEvent()]) }
        let names = try FileManager.default.contentsOfDirectory(atPath: place)
        #expect(names.count > 1)
        var rows = 0
        for name in names {
            let text = try String(contentsOfFile: "\(place)/\(name)", encoding: .utf8)
            let lines = text.split(separator: "\n")
            #expect(lines[0] == Substring(UsageText.columns.joined(separator: ",")))
            rows += lines.count - 1
        }
        #expect(rows == 20)
    }
}
