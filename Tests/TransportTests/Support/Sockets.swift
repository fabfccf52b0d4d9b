import Glibc

/// A loopback port on which nobody listens, or whose listener lets nobody in.
struct LoopbackPort: ~Copyable {
    let port: Int
    fileprivate let descriptors: [Int32]

    deinit {
        for descriptor in descriptors { _ = Glibc.close(descriptor) }
    }

    /// Bound and kept, but not listening: every connection is refused.
    static func refusing() -> LoopbackPort {
        let (socket, port) = bound()
        return LoopbackPort(port: port, descriptors: [socket])
    }

    /// Listening with a queue that is full: the kernel drops further SYNs, so a connection attempt hangs.
    static func unanswering() -> LoopbackPort {
        let (listener, port) = bound()
        precondition(listen(listener, 0) == 0, "listen failed")
        var descriptors = [listener]
        for _ in 0..<4 {
            let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            withAddress(port: port) { _ = connect(client, $0, $1) }
            descriptors.append(client)
        }
        return LoopbackPort(port: port, descriptors: descriptors)
    }

    /// A port that was free a moment ago.
    static func free() -> Int {
        let (socket, port) = bound()
        _ = Glibc.close(socket)
        return port
    }

    private static func bound() -> (socket: Int32, port: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let bound = withAddress(port: 0) { bind(descriptor, $0, $1) }
        precondition(bound == 0, "bind failed")
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
