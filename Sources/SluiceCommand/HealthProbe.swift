internal import Gateway
internal import Glibc

/// One GET over a blocking socket: the command has nothing else to do while it waits.
struct HealthProbe {
    let address: ListenAddress
    let path: String

    /// Why there was no answer.
    struct Failure: Error {
        let reason: String
        init(_ reason: String) { self.reason = reason }
    }

    /// For each step: connecting, sending, and receiving all of `HTTP/1.1 200`.
    private static let patience = timeval(tv_sec: 2, tv_usec: 0)
    /// How far the status reaches in `HTTP/1.1 200`.
    private static let statusLineBytes = 12

    /// The status of the answer.
    func status() throws(Failure) -> Int {
        let descriptor = try connect()
        defer { close(descriptor) }
        let request = Array("GET \(path) HTTP/1.1\r\nhost: \(address)\r\nconnection: close\r\n\r\n".utf8)
        guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
            throw Failure("cannot send: \(Self.lastError)")
        }
        var line = [UInt8](repeating: 0, count: Self.statusLineBytes)
        let received = recv(descriptor, &line, line.count, Int32(MSG_WAITALL))
        guard received >= 0 else { throw Failure("no answer: \(Self.lastError)") }
        let words = String(decoding: line.prefix(received), as: UTF8.self).split(separator: " ")
        guard received == line.count, words.count == 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            throw Failure("something answers that is not an admin listener")
        }
        return status
    }

    /// A connected socket with the patience set. A host name is asked at the first of its addresses only: one that means
    /// this machine has one.
    private func connect() throws(Failure) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(address.host, "\(address.port)", &hints, &found)
        guard code == 0, let found else { throw Failure("no such host: \(String(cString: gai_strerror(code)))") }
        defer { freeaddrinfo(found) }
        let descriptor = socket(found.pointee.ai_family, found.pointee.ai_socktype, 0)
        guard descriptor >= 0 else { throw Failure("no socket: \(Self.lastError)") }
        var patience = Self.patience
        for option in [SO_SNDTIMEO, SO_RCVTIMEO] {  // connect(2) waits for as long as send(2) may (socket(7))
            setsockopt(descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
        }
        guard Glibc.connect(descriptor, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0 else {
            let error = Self.lastError
            close(descriptor)
            throw Failure("cannot connect: \(error)")
        }
        return descriptor
    }

    private static var lastError: String {
        // What a time that is up is called here.
        [EAGAIN, EINPROGRESS].contains(errno) ? "timed out" : String(cString: strerror(errno))
    }
}
