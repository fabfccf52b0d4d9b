internal import Glibc

/// A TCP socket on the loopback interface that waits no longer than it is told to.
package final class TCPSocket: Sendable {
    package enum Received: Equatable {
        case bytes([UInt8])
        /// The peer has sent its last byte.
        case end
        /// The peer, or its kernel, has thrown the connection away.
        case reset
    }

    package let descriptor: Int32
    private let isOpen = Mutex(true)

    package init(descriptor: Int32) {
        self.descriptor = descriptor
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { close() }

    /// - Parameter receiveBuffer: bytes of SO_RCVBUF, to be a client that takes little at a time.
    package static func connect(port: Int, receiveBuffer: Int32? = nil) throws -> TCPSocket {
        let descriptor = try SystemError.check(
            socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0),
            "socket"
        )
        if var size = receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        guard sockaddr_in.withLoopback(port: port, { Glibc.connect(descriptor, $0, $1) }) == 0 else {
            let error = SystemError(call: "connect")
            Glibc.close(descriptor)
            throw error
        }
        return TCPSocket(descriptor: descriptor)
    }

    package func send(_ bytes: some Collection<UInt8>, until deadline: Deadline = .soon) throws {
        try Array(bytes).withUnsafeBytes { try send($0, until: deadline) }
    }

    package func send(_ bytes: UnsafeRawBufferPointer, until deadline: Deadline = .soon) throws {
        var sent = 0
        while sent < bytes.count {
            sent += try trySend(UnsafeRawBufferPointer(rebasing: bytes[sent...]), until: deadline)
        }
    }

    /// Sends what the kernel takes, waiting until it takes anything.
    package func trySend(_ bytes: UnsafeRawBufferPointer, until deadline: Deadline) throws -> Int {
        while true {
            let count = Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            if count >= 0 { return count }
            guard errno == EAGAIN || errno == EINTR else { throw SystemError(call: "send") }
            guard try poll(for: Int16(POLLOUT), until: deadline) else { throw TimedOut(awaited: "room to send") }
        }
    }

    /// The next bytes, or how the connection ended.
    package func receive(atMost limit: Int = 65_536, until deadline: Deadline = .soon) throws -> Received {
        do {
            let bytes = try [UInt8](unsafeUninitializedCapacity: limit) { buffer, filled in
                filled = try receive(into: UnsafeMutableRawBufferPointer(buffer), until: deadline)
            }
            return bytes.isEmpty ? .end : .bytes(bytes)
        } catch let error as SystemError where error.code == ECONNRESET {
            return .reset
        }
    }

    /// Waits for bytes and returns how many there are; 0 when the peer has sent its last.
    package func receive(into buffer: UnsafeMutableRawBufferPointer, until deadline: Deadline = .soon) throws -> Int {
        while true {
            guard try poll(for: Int16(POLLIN), until: deadline) else { throw TimedOut(awaited: "bytes") }
            let count = recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
            if count >= 0 { return count }
            guard errno == EAGAIN || errno == EINTR else { throw SystemError(call: "recv") }
        }
    }

    /// Whether bytes, or the connection's end, can be received before the deadline.
    package func hasInput(until deadline: Deadline) throws -> Bool { try poll(for: Int16(POLLIN), until: deadline) }

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
    package func halfClose() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Ends both directions, which wakes up whoever waits for this socket on another thread; it stays theirs to close.
    package func abort() { isOpen.withLock { if $0 { shutdown(descriptor, Int32(SHUT_RDWR)) } } }

    package func close() {
        isOpen.withLock { isOpen in
            if isOpen { Glibc.close(descriptor) }
            isOpen = false
        }
    }

    /// Throws the connection away, so that the peer gets a reset.
    package func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close()
    }
}

/// A listening socket on a free port of the loopback interface.
package final class ListeningSocket: Sendable {
    package let descriptor: Int32
    package let port: Int

    package init(port wanted: Int = 0) throws {
        descriptor = try SystemError.check(
            socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0),
            "socket"
        )
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        let descriptor = descriptor
        try SystemError.check(sockaddr_in.withLoopback(port: wanted) { bind(descriptor, $0, $1) }, "bind")
        try SystemError.check(listen(descriptor, 4_096), "listen")
        port = try sockaddr_in.port(of: descriptor)
    }

    /// The next connection; `nil` once nobody is to be waited for any longer.
    package func accept(while isWanted: () -> Bool) -> TCPSocket? {
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

package struct SystemError: Error, CustomStringConvertible {
    package let call: String
    package let code: Int32

    package init(call: String, code: Int32? = nil) {
        self.call = call
        self.code = code ?? errno
    }

    package var description: String { "\(call): \(String(cString: strerror(code)))" }

    @discardableResult
    package static func check(_ result: Int32, _ call: String) throws -> Int32 {
        if result < 0 { throw SystemError(call: call) }
        return result
    }
}
