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

    package func write(_ bytes: [UInt8]) {
        let starts = queue.withLockedValue { queue in
            guard queue.bytes + bytes.count <= maxQueued else {
                queue.droppedBytes += bytes.count
                return false
            }
            queue.chunks.append(bytes)
            queue.bytes += bytes.count
            queue.accepted += bytes.count
            if queue.isWriting { return false }
            queue.isWriting = true
            return true
        }
        if starts { thread.submit { if $0 == .active { self.writeQueued() } } }
    }

    /// Writes them after what is queued, and waits until they are written. Blocks: not for event loops.
    ///
    /// - Returns: `false` if there is no room for them, or not all were written in time; some may be.
    func writeWhole(_ bytes: [UInt8], milliseconds: Int) -> Bool {
        let (start, refused) = queue.withLockedValue { ($0.accepted, $0.refused) }
        write(bytes)
        guard let end = queue.withLockedValue({ $0.accepted >= start + bytes.count ? $0.accepted : nil }) else {
            return false
        }
        for _ in 0..<max(1, milliseconds / Self.pollInterval) {
            let state = queue.withLockedValue { ($0.done, $0.refused) }
            if state.1 > refused { return false }
            if state.0 >= end { return true }
            usleep(UInt32(Self.pollInterval * 1000))
        }
        return false
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
