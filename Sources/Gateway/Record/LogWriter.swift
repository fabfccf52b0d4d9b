internal import Glibc
internal import NIOConcurrencyHelpers
internal import NIOPosix

/// Writes log bytes to a descriptor on a thread of its own, so that a slow reader of the log never holds up an event loop.
///
/// The queue is bounded by `maxQueued` bytes; what does not fit is dropped and counted, and so is what the descriptor refuses,
/// as on a full disk. What comes afterwards begins on a line of its own.
package final class LogWriter: Sendable {
    private struct Queue {
        var chunks: [[UInt8]] = []
        var bytes = 0
        var droppedBytes = 0
        var isWriting = false
        var isEnding = false
        /// The process ends, and the descriptor takes nothing.
        var isGivenUp = false
        /// Bytes taken, and bytes that the descriptor has or will never have.
        var accepted = 0
        var done = 0
        /// Of those, bytes that it did not take.
        var refused = 0
    }

    private let descriptor: Int32
    private let maxQueued: Int
    private let queue = NIOLockedValueBox(Queue())
    /// Of what was written last; touched on the thread only.
    private let lineEnd = NIOLockedValueBox(LineEnd())
    private let thread = NIOThreadPool(numberOfThreads: 1)

    /// Bytes that may wait for the descriptor.
    package static let maxQueued = 8 << 20
    /// Milliseconds that a full pipe is waited for at a time.
    private static let patience: Int32 = 500
    /// How long the end of the process waits for a reader that takes nothing.
    package static let longestShutdown = Duration.seconds(2)

    package init(descriptor: Int32, maxQueued: Int = LogWriter.maxQueued) {
        self.descriptor = descriptor
        self.maxQueued = maxQueued
        thread.start()
    }

    /// Bytes dropped since the start because the descriptor did not take them.
    package var droppedBytes: Int { queue.withLockedValue { $0.droppedBytes } }

    package func write(_ bytes: [UInt8]) { _ = queued(bytes) }

    /// What was queued, to wait for.
    struct Place {
        /// Of `done`, when it is written.
        fileprivate let end: Int
        /// Bytes that the descriptor had refused before.
        fileprivate let refused: Int
    }

    enum Standing {
        case written
        /// It goes on to wait for the descriptor, and nothing takes it back.
        case waiting
        /// Some of it was not written and will not be.
        case refused
    }

    /// Queues them behind what is queued; `nil` if there is no room for them.
    func queued(_ bytes: [UInt8]) -> Place? {
        let (place, starts) = queue.withLockedValue { queue -> (Place?, Bool) in
            guard queue.bytes + bytes.count <= maxQueued else {
                queue.droppedBytes += bytes.count
                return (nil, false)
            }
            queue.chunks.append(bytes)
            queue.bytes += bytes.count
            queue.accepted += bytes.count
            defer { queue.isWriting = true }
            return (Place(end: queue.accepted, refused: queue.refused), !queue.isWriting)
        }
        if starts { thread.submit { if $0 == .active { self.writeQueued() } } }
        return place
    }

    /// Waits until it is written. Blocks: not for event loops.
    func wait(for place: Place, milliseconds: Int) -> Standing {
        for _ in 0..<max(1, milliseconds / Self.pollInterval) {
            let (done, refused) = queue.withLockedValue { ($0.done, $0.refused) }
            if refused > place.refused { return .refused }
            if done >= place.end { return .written }
            usleep(UInt32(Self.pollInterval * 1000))
        }
        return .waiting
    }

    /// Milliseconds.
    private static let pollInterval = 5

    /// Writes what is queued and ends the thread, which is left to itself if its descriptor takes nothing for
    /// `longestShutdown`. Nothing can be written afterwards.
    package func shutdown() async throws {
        queue.withLockedValue { $0.isEnding = true }
        let (written, continuation) = AsyncStream.makeStream(of: Void.self)
        thread.submit { if $0 == .active { self.writeQueued() } }
        thread.submit { _ in continuation.finish() }
        let isWritten = await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                for await _ in written {}
                return true
            }
            group.addTask {
                try? await Task.sleep(for: Self.longestShutdown)
                return false
            }
            let isWritten = await group.next() ?? false
            group.cancelAll()
            return isWritten
        }
        if isWritten { try await thread.shutdownGracefully() }
    }

    private func writeQueued() {
        while true {
            let chunks = queue.withLockedValue { queue in
                let chunks = queue.chunks
                queue.chunks = []
                queue.bytes = 0
                if chunks.isEmpty { queue.isWriting = false }
                return chunks
            }
            if chunks.isEmpty { return }
            for chunk in chunks {
                writeLines(chunk)
                queue.withLockedValue { $0.done += chunk.count }
            }
        }
    }

    private func writeLines(_ chunk: [UInt8]) {
        if lineEnd.withLockedValue({ $0.isTorn }), writeAll([LineEnd.mark]) == 0 { return drop(chunk.count) }
        let written = writeAll(chunk)
        lineEnd.withLockedValue { $0.wrote(chunk, count: written) }
        if written < chunk.count { drop(chunk.count - written) }
    }

    /// Returns how many bytes the descriptor took.
    private func writeAll(_ chunk: [UInt8]) -> Int {
        var written = 0
        if queue.withLockedValue({ $0.isGivenUp }) { return 0 }
        while written < chunk.count {
            let count = chunk.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + written, $0.count - written) }
            if count > 0 {
                written += count
            } else if errno == EAGAIN {
                var poller = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                let isTaken = poll(&poller, 1, Self.patience) > 0
                // A reader that takes nothing must not keep a process from ending.
                let isOver = queue.withLockedValue { queue in
                    queue.isGivenUp = queue.isEnding && !isTaken
                    return queue.isGivenUp
                }
                if isOver { return written }
            } else if errno != EINTR {
                return written
            }
        }
        return written
    }

    private func drop(_ bytes: Int) {
        queue.withLockedValue {
            $0.droppedBytes += bytes
            $0.refused += bytes
        }
    }
}

/// Whether a log stands at the beginning of a line. Pure.
struct LineEnd {
    static let mark = UInt8(ascii: "\n")

    /// The last line was cut off: another one needs a line end before it.
    private(set) var isTorn = false

    /// - Parameter count: how much of the lines was written, from their beginning; they stand behind a line end.
    mutating func wrote(_ lines: [UInt8], count: Int) { isTorn = count > 0 && lines[count - 1] != Self.mark }
}
