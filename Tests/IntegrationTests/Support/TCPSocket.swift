internal import Glibc

/// A TCP socket on the loopback interface that waits no longer than it is told to.
final class TCPSocket: Sendable {
    enum Received: Equatable {
        case bytes([UInt8])
        /// The peer has sent its last byte.
        case end
        /// The peer, or its kernel, has thrown the connection away.
        case reset
    }

    let descriptor: Int32
    private let isOpen = Mutex(true)

    init(descriptor: Int32) {
        self.descriptor = descriptor
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { close() }

    /// - Parameter receiveBuffer: bytes of SO_RCVBUF, to be a client that takes little at a time.
    static func connect(port: Int, receiveBuffer: Int32? = nil) throws -> TCPSocket {
        let descriptor = try SystemError.check(
            socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0),
            "socket"
        )
        if var size = receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = sockaddr_in.loopback(port: port)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            let error = SystemError(call: "connect")
            Glibc.close(descriptor)
            throw error
        }
        return TCPSocket(descriptor: descriptor)
    }

    func send(_ bytes: some Collection<UInt8>, until deadline: Deadline = .soon) throws {
        try Array(bytes).withUnsafeBytes { bytes in
            var sent = 0
            while sent < bytes.count {
                sent += try trySend(UnsafeRawBufferPointer(rebasing: bytes[sent...]), until: deadline)
            }
        }
    }

    /// Sends what the kernel takes, waiting until it takes anything.
    func trySend(_ bytes: UnsafeRawBufferPointer, until deadline: Deadline) throws -> Int {
        while true {
            let count = Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            if count >= 0 { return count }
            guard errno == EAGAIN || errno == EINTR else { throw SystemError(call: "send") }
            guard try poll(for: Int16(POLLOUT), until: deadline) else { throw DeadlinePassed(awaited: "room to send") }
        }
    }

    /// The next bytes, or how the connection ended.
    func receive(atMost limit: Int = 65_536, until deadline: Deadline = .soon) throws -> Received {
        while true {
            guard try poll(for: Int16(POLLIN), until: deadline) else { throw DeadlinePassed(awaited: "bytes") }
            var count = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, filled in
                count = recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
                filled = max(0, count)
            }
            if count > 0 { return .bytes(bytes) }
            if count == 0 { return .end }
            if errno == ECONNRESET { return .reset }
            guard errno == EAGAIN || errno == EINTR else { throw SystemError(call: "recv") }
        }
    }

    /// Whether bytes, or the connection's end, can be received before the deadline.
    func hasInput(until deadline: Deadline) throws -> Bool { try poll(for: Int16(POLLIN), until: deadline) }

    private func poll(for events: Int16, until deadline: Deadline) throws -> Bool {
        while true {
            var entry = pollfd(fd: descriptor, events: events, revents: 0)
            let ready = Glibc.poll(&entry, 1, deadline.milliseconds)
            if ready > 0 { return true }
            if ready < 0, errno != EINTR { throw SystemError(call: "poll") }
            if deadline.hasPassed { return false }
        }
    }

    /// No more bytes from this side.
    func halfClose() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Ends both directions, which wakes up whoever waits for this socket on another thread; it stays theirs to close.
    func abort() { isOpen.withLock { if $0 { shutdown(descriptor, Int32(SHUT_RDWR)) } } }

    func close() {
        isOpen.withLock { isOpen in
            if isOpen { Glibc.close(descriptor) }
            isOpen = false
        }
    }

    /// Throws the connection away, so that the peer gets a reset.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close()
    }
}

/// A listening socket on a free port of the loopback interface.
final class ListeningSocket: Sendable {
    let descriptor: Int32
    let port: Int

    init(port wanted: Int = 0) throws {
        descriptor = try SystemError.check(
            socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0),
            "socket"
        )
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in.loopback(port: wanted)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        try withUnsafeMutablePointer(to: &address) {
            try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                try SystemError.check(bind(descriptor, $0, length), "bind")
                try SystemError.check(listen(descriptor, 4_096), "listen")
                try SystemError.check(getsockname(descriptor, $0, &length), "getsockname")
            }
        }
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    /// The next connection; `nil` once nobody is to be waited for any longer.
    func accept(while isWanted: () -> Bool) -> TCPSocket? {
        while isWanted() {
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 20) > 0 else { continue }
            let accepted = Glibc.accept(descriptor, nil, nil)
            if accepted >= 0 {
                _ = fcntl(accepted, F_SETFD, FD_CLOEXEC)
                return TCPSocket(descriptor: accepted)
            }
        }
        return nil
    }

    deinit { close(descriptor) }
}

extension sockaddr_in {
    fileprivate static func loopback(port: Int) -> Self {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}

struct SystemError: Error, CustomStringConvertible {
    let call: String
    let code: Int32

    init(call: String, code: Int32 = errno) {
        self.call = call
        self.code = code
    }

    var description: String { "\(call): \(String(cString: strerror(code)))" }

    @discardableResult
    static func check(_ result: Int32, _ call: String) throws -> Int32 {
        if result < 0 { throw SystemError(call: call) }
        return result
    }
}
