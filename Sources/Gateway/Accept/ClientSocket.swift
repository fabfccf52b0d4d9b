internal import Glibc
internal import NIOCore

/// A client's socket, written to without the way through its channel.
///
/// The channel's own way (a pipeline, a queue of promises) costs a write 3,000 instructions, a quarter of those of
/// a streamed event. It is left only where nothing stands between the connection and its socket, so not with TLS, and only
/// while the channel holds no bytes: what the kernel does not take goes through it, and so does all that follows until the
/// channel has written everything.
///
/// The descriptor is the channel's, which closes it: nobody may write once `RequestBytes` has heard of that.
struct ClientSocket {
    private let descriptor: NIOBSDSocket.Handle
    private static let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
    /// Writes that the channel has not finished.
    private(set) var writesOfChannel = 0

    /// `nil` where the channel is none of a socket, as in tests, or is closed.
    init?(_ channel: any Channel) {
        let operations = channel.pipeline.syncOperations
        guard let descriptor = try? operations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self, { $0 })
        else {
            return nil
        }
        self.descriptor = descriptor
    }

    mutating func channelWrites() { writesOfChannel += 1 }
    mutating func channelHasWritten() { writesOfChannel -= 1 }

    /// Returns how many bytes the kernel took: 0 where the channel has to find out what is wrong.
    func send(_ first: ByteBuffer?, _ second: ByteBuffer?) -> Int {
        guard writesOfChannel == 0 else { return 0 }
        let count =
            switch (first, second) {
            case (let only?, nil), (nil, let only?): only.withUnsafeReadableBytes(send)
            case (let first?, let second?):
                first.withUnsafeReadableBytes { first in second.withUnsafeReadableBytes { send(first, $0) } }
            case (nil, nil): 0
            }
        return max(0, count)
    }

    private func send(_ bytes: UnsafeRawBufferPointer) -> Int {
        Glibc.send(descriptor, bytes.baseAddress, bytes.count, Self.flags)
    }

    private func send(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> Int {
        let parts = (
            iovec(iov_base: UnsafeMutableRawPointer(mutating: first.baseAddress), iov_len: first.count),
            iovec(iov_base: UnsafeMutableRawPointer(mutating: second.baseAddress), iov_len: second.count)
        )
        return withUnsafePointer(to: parts) { parts in
            var message = msghdr()
            message.msg_iov = UnsafeMutableRawPointer(mutating: parts).assumingMemoryBound(to: iovec.self)
            message.msg_iovlen = 2
            return sendmsg(descriptor, &message, Self.flags)
        }
    }
}
