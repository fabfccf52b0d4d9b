internal import Glibc
internal import Logging
internal import NIOCore

/// Usage events on their way to the sinks: from the event loops into files, and from there to each sink at its own pace.
///
/// A thread of its own writes them; event loops only leave bytes for it. What does not fit into memory, because the disk takes
/// nothing, is lost and counted; what does not fit on the disk, because a sink takes nothing, is lost for that sink, the oldest
/// first, and counted.
final class UsageSpool: Sendable {
    struct Bounds: Sendable {
        /// Bytes that may wait for the disk.
        var memory = 16 << 20
        /// Bytes of one file.
        var segment = 16 << 20
        /// Bytes of all files.
        var disk = 1 << 30
    }

    struct Segment {
        let number: UInt64
        var bytes: Int
        var events: Int
    }

    struct State {
        fileprivate var waiting: [SpoolBlock] = []
        /// Bytes in memory: those that wait and those that are being written.
        fileprivate(set) var memory = 0
        fileprivate(set) var accepted = 0
        /// Events that found no room in memory.
        fileprivate(set) var lost = 0
        fileprivate(set) var writeFailures = 0
        /// Ascending; the last is being written.
        fileprivate(set) var segments: [Segment] = []
        /// As far as can be read.
        fileprivate(set) var end: SpoolPosition
        /// As far as each sink has them.
        fileprivate(set) var delivered: [SpoolPosition]
        /// Events that each sink will not get, as they were removed before it took them or are damaged.
        fileprivate(set) var missed: [Int]
        fileprivate(set) var isEnding = false
        fileprivate(set) var isWritten = false
        /// Sinks are to take nothing more.
        fileprivate(set) var isStopped = false
        fileprivate(set) var running: Int

        var bytes: Int { segments.reduce(0) { $0 + $1.bytes } }
    }

    let folder: SpoolFolder
    let bounds: Bounds
    let state: Watched<State>
    /// Whether the process ends. Apart from the state, whose every change would wake those that only rest.
    private let isEnding = Watched(false)
    private let logger: Logger

    /// Milliseconds between two tries to write, and between two times that the disk is told to keep what it was given.
    private static let interval = 1000
    /// Milliseconds between two writes, so that each has some size.
    private static let pace = 50

    /// - Parameter delivered: as far as each sink was; `nil` for one that is new, or does not know.
    init(folder: SpoolFolder, bounds: Bounds = Bounds(), delivered: [SpoolPosition?], logger: Logger) {
        self.folder = folder
        self.bounds = bounds
        self.logger = logger
        let segments = folder.segments().map { number in
            let end = SpoolSegment.mend(number, in: folder)
            return Segment(number: number, bytes: end.offset, events: end.events)
        }
        let next = (segments.last?.number ?? 0) + 1
        let first = SpoolPosition(segment: segments.first?.number ?? next)
        state = Watched(
            State(
                segments: segments,
                end: SpoolPosition(segment: next),
                delivered: delivered.map { min(max($0 ?? first, first), SpoolPosition(segment: next)) },
                missed: delivered.map { _ in 0 },
                running: delivered.count
            )
        )
    }

    func start() { BackgroundThread.start { self.run() } }

    /// Called by event loops.
    func add(_ frames: [UInt8], events: Int) {
        state.change { state in
            guard !state.isWritten, state.memory + frames.count <= bounds.memory else {
                state.lost += events
                return
            }
            state.waiting.append(SpoolBlock(events: events, frames: frames))
            state.memory += frames.count
            state.accepted += events
        }
    }

    // MARK: the thread

    private func run() {
        var segment: SpoolSegment?
        var next = state.read { $0.end.segment }
        var isSynced = true
        var synced = NIODeadline.now()
        var isFailing = false
        while true {
            let work = state.wait(milliseconds: Self.interval) { state -> (blocks: [SpoolBlock], ends: Bool)? in
                guard !state.waiting.isEmpty || state.isEnding else { return nil }
                defer { state.waiting = [] }
                return (state.waiting, state.isEnding)
            }
            var blocks = work?.blocks ?? []
            while !blocks.isEmpty {
                do throws(SystemFailure) {
                    try write(blocks[0], &segment, &next)
                    blocks.removeFirst()
                    isSynced = false
                    if isFailing { logger.notice("usage events are written again") }
                    isFailing = false
                } catch {
                    state.change { $0.writeFailures += 1 }
                    if !isFailing { logger.error("usage events cannot be written", metadata: ["cause": "\(error)"]) }
                    isFailing = true
                    // What every sink has may be what fills the disk.
                    makeRoom()
                    // At the end there is no later.
                    if state.read({ $0.isEnding }) { break }
                    rest(milliseconds: Self.interval)
                }
            }
            if !blocks.isEmpty { lose(blocks) }
            if !isSynced, work?.ends == true || .now() - synced >= .milliseconds(Int64(Self.interval)) {
                segment?.sync()
                isSynced = true
                synced = .now()
            }
            makeRoom()
            if work != nil { rest(milliseconds: Self.pace) }
            guard work?.ends != true || !state.read({ $0.waiting.isEmpty }) else {
                segment?.close()
                state.change { $0.isWritten = true }
                return
            }
        }
    }

    private func write(
        _ block: SpoolBlock,
        _ segment: inout SpoolSegment?,
        _ next: inout UInt64
    ) throws(SystemFailure) {
        if let full = segment, full.bytes >= bounds.segment {
            full.sync()
            full.close()
            segment = nil
        }
        if segment == nil {
            segment = try SpoolSegment(creating: next, in: folder)
            next += 1
        }
        try segment?.append(block)
        guard let end = segment?.end else { return }
        state.change { state in
            state.memory -= block.frames.count
            state.end = end
            if state.segments.last?.number != end.segment {
                state.segments.append(Segment(number: end.segment, bytes: 0, events: 0))
            }
            state.segments[state.segments.count - 1].bytes = end.offset
            state.segments[state.segments.count - 1].events = end.events
        }
    }

    private func lose(_ blocks: [SpoolBlock]) {
        state.change { state in
            for block in blocks {
                state.memory -= block.frames.count
                state.lost += block.events
            }
        }
    }

    /// Removes what every sink has, and the oldest of what is too much.
    private func makeRoom() {
        let removed = state.change { state -> [UInt64] in
            var removed: [UInt64] = []
            let needed = state.delivered.map(\.segment).min() ?? state.end.segment
            while let oldest = state.segments.first, state.segments.count > 1,
                oldest.number < needed || state.bytes > bounds.disk
            {
                for sink in state.delivered.indices where state.delivered[sink].segment <= oldest.number {
                    state.missed[sink] += oldest.events - Self.had(state.delivered[sink], of: oldest)
                    state.delivered[sink] = SpoolPosition(segment: oldest.number + 1)
                }
                state.segments.removeFirst()
                removed.append(oldest.number)
            }
            return removed
        }
        for number in removed { folder.remove(segment: number) }
    }

    private static func had(_ position: SpoolPosition, of segment: Segment) -> Int {
        position.segment == segment.number ? position.events : 0
    }

    // MARK: what sinks ask

    enum News {
        /// There are events to read.
        case more
        case nothing
        /// There are none, and none will come.
        case over
    }

    /// What there is for a sink; waits for it.
    func news(for sink: Int, milliseconds: Int) -> News {
        state.wait(milliseconds: milliseconds) { state -> News? in
            if state.isStopped { return .over }
            if state.delivered[sink] < state.end { return .more }
            return state.isWritten ? .over : nil
        } ?? .nothing
    }

    func delivered(to sink: Int) -> SpoolPosition { state.read { $0.delivered[sink] } }

    /// Where a reader goes on that has all of a segment; `nil` where that is the one that is being written.
    func segment(after number: UInt64) -> SpoolPosition? {
        state.read { state in
            guard number < state.end.segment else { return nil }
            let next = state.segments.first { $0.number > number }?.number
            return SpoolPosition(segment: next ?? state.end.segment)
        }
    }

    func delivered(to sink: Int, upTo position: SpoolPosition) {
        state.change { if $0.delivered[sink] < position { $0.delivered[sink] = position } }
    }

    /// The rest of a segment cannot be read.
    func skipSegment(for sink: Int, at position: SpoolPosition) {
        state.change { state in
            let segment = state.segments.first { $0.number == position.segment }
            state.missed[sink] += max(0, (segment?.events ?? position.events) - position.events)
            let next = state.segments.first { $0.number > position.segment }?.number ?? state.end.segment
            state.delivered[sink] = SpoolPosition(segment: max(next, position.segment + 1))
        }
    }

    // MARK: the end

    /// Writes what there is, and lets the sinks take it for so long; the rest stays on the disk for the next process. Blocks.
    func end(milliseconds: Int) {
        state.change { $0.isEnding = true }
        isEnding.change { $0 = true }
        _ = state.wait(milliseconds: milliseconds) { $0.isWritten && $0.running == 0 ? true : nil }
        state.change { $0.isStopped = true }
    }

    /// Waits so long, or until the process ends.
    func rest(milliseconds: Int) { _ = isEnding.wait(milliseconds: milliseconds) { $0 ? true : nil } }

    /// A sink takes nothing any more.
    func sinkEnded() { state.change { $0.running -= 1 } }
}
