internal import Glibc
internal import NIOConcurrencyHelpers
internal import NIOPosix

/// Writes log bytes to a descriptor on a thread of its own, so that a slow reader of the log never holds up an event loop.
///
/// The queue is bounded by `maxQueued` bytes; what does not fit is dropped and counted.
package final class LogWriter: Sendable {
    private struct Queue {
        var chunks: [[UInt8]] = []
        var bytes = 0
        var droppedBytes = 0
        var isWriting = false
        var isEnding = false
        /// Bytes taken, and bytes that the descriptor has or will never have.
        var accepted = 0
        var done = 0
        /// Of those, bytes that it did not take.
        var refused = 0
    }

    private let descriptor: Int32
    private let queue = NIOLockedValueBox(Queue())
    private let thread = NIOThreadPool(numberOfThreads: 1)

    /// Bytes that may wait for the descriptor.
    package static let maxQueued = 8 << 20
    /// Milliseconds that a full pipe is waited for at a time.
    private static let patience: Int32 = 500

    package init(descriptor: Int32) {
        self.descriptor = descriptor
        thread.start()
    }

    /// Bytes dropped since the start because the descriptor did not take them.
    package var droppedBytes: Int { queue.withLockedValue { $0.droppedBytes } }

    package func write(_ bytes: [UInt8]) {
        let starts = queue.withLockedValue { queue in
            guard queue.bytes + bytes.count <= Self.maxQueued else {
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

    /// Writes what is queued and ends the thread. Nothing can be written afterwards.
    package func shutdown() async throws {
        queue.withLockedValue { $0.isEnding = true }
        try await thread.runIfActive { self.writeQueued() }
        try await thread.shutdownGracefully()
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
                writeAll(chunk)
                queue.withLockedValue { $0.done += chunk.count }
            }
        }
    }

    private func writeAll(_ chunk: [UInt8]) {
        var written = 0
        while written < chunk.count {
            let count = chunk.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + written, $0.count - written) }
            if count > 0 {
                written += count
            } else if errno == EAGAIN {
                var poller = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                let isTaken = poll(&poller, 1, Self.patience) > 0
                // A reader that takes nothing must not keep a process from ending.
                if !isTaken, queue.withLockedValue({ $0.isEnding }) { return drop(chunk.count - written) }
            } else if errno != EINTR {
                return drop(chunk.count - written)
            }
        }
    }

    private func drop(_ bytes: Int) {
        queue.withLockedValue {
            $0.droppedBytes += bytes
            $0.refused += bytes
        }
    }
}
