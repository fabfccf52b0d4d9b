internal import NIOCore

/// Buffers for what is written to clients, one pool per event loop.
///
/// Most writes reach the kernel at once, and the buffer is free again; one that still waits in its channel is found to be
/// shared when it is taken, and gets new memory then.
final class BufferPool {
    private let allocator = ByteBufferAllocator()
    private var buffers: [ByteBuffer] = []

    /// Together they bound what a pool holds to 512 KiB.
    private static let maxBuffers = 32
    private static let maxCapacity = 16 * 1024

    /// An empty buffer with at least that much room.
    func take(capacity: Int) -> ByteBuffer {
        guard capacity <= Self.maxCapacity, var buffer = buffers.popLast() else {
            return allocator.buffer(capacity: capacity)
        }
        buffer.clear(minimumCapacity: capacity)
        return buffer
    }

    /// To be called when it has been written.
    func giveBack(_ buffer: ByteBuffer) {
        if buffers.count < Self.maxBuffers, buffer.capacity <= Self.maxCapacity { buffers.append(buffer) }
    }
}
