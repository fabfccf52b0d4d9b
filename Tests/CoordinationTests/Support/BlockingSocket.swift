import Glibc
import NIOCore

@testable import Coordination

/// A connection to a loopback port that blocks, for what a test says to a server beside the client under test.
final class BlockingSocket {
    private let descriptor: Int32
    private let reader = RESPReader()
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)

    init?(port: Int) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        guard Self.withAddress(port: port, { connect(descriptor, $0, $1) }) == 0 else { return nil }
    }

    deinit {
        close(descriptor)
        buffer.deallocate()
    }

    /// Sends a command and waits for its answer; `nil` when the connection ends or nothing comes.
    func command(_ arguments: [String]) -> RESPReply? {
        replies(to: RESPCommand(arguments).bytes, count: 1)?.first
    }

    /// Sends commands in one go and waits for all answers; `nil` when the connection ends or nothing comes.
    func replies(to commands: ByteBuffer, count: Int) -> [RESPReply]? {
        var unsent = commands.readableBytesView
        while !unsent.isEmpty {
            let sent = unsent.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard sent > 0 else { return nil }
            unsent = unsent.dropFirst(sent)
        }
        var replies: [RESPReply] = []
        while replies.count < count {
            if let reply = try? reader.next() {
                replies.append(reply)
                continue
            }
            let received = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            guard received > 0 else { return nil }
            reader.feed(UnsafeRawBufferPointer(rebasing: buffer[..<received]))
        }
        return replies
    }

    /// A loopback port that was free a moment ago.
    static func freePort() -> Int {
        let (descriptor, port) = bound()
        close(descriptor)
        return port
    }

    /// A socket bound to a loopback port, not listening: whoever connects to it is refused.
    static func bound() -> (descriptor: Int32, port: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        precondition(withAddress(port: 0) { bind(descriptor, $0, $1) } == 0, "bind failed")
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(descriptor, $0, &length) }
        }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    private static func withAddress<Result>(port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result
    {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }
}
