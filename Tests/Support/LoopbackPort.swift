internal import Glibc

/// A loopback port on which nobody listens, or whose listener lets nobody in.
package struct LoopbackPort: ~Copyable {
    package let port: Int
    private let descriptors: [Int32]

    deinit {
        for descriptor in descriptors { _ = Glibc.close(descriptor) }
    }

    /// Bound and kept, but not listening: every connection is refused.
    package static func refusing() -> LoopbackPort {
        let (socket, port) = bound()
        return LoopbackPort(port: port, descriptors: [socket])
    }

    /// Listening with a queue that is full: the kernel drops further SYNs, so a connection attempt hangs.
    package static func unanswering() -> LoopbackPort {
        let (listener, port) = bound()
        precondition(listen(listener, 0) == 0, "listen failed")
        var descriptors = [listener]
        for _ in 0..<4 {
            let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            sockaddr_in.withLoopback(port: port) { _ = connect(client, $0, $1) }
            descriptors.append(client)
        }
        return LoopbackPort(port: port, descriptors: descriptors)
    }

    /// A port that was free a moment ago.
    package static func free() -> Int {
        let (socket, port) = bound()
        _ = Glibc.close(socket)
        return port
    }

    private static func bound() -> (socket: Int32, port: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        precondition(sockaddr_in.withLoopback(port: 0) { bind(descriptor, $0, $1) } == 0, "bind failed")
        guard let port = try? sockaddr_in.port(of: descriptor) else { preconditionFailure("getsockname failed") }
        return (descriptor, port)
    }
}

extension sockaddr_in {
    /// Calls with the address of a port of the loopback interface; 0 for any that is free.
    static func withLoopback<Result>(port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }

    /// The port that a socket is bound to.
    static func port(of descriptor: Int32) throws -> Int {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &address) {
            try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = try SystemError.check(getsockname(descriptor, $0, &length), "getsockname")
            }
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
