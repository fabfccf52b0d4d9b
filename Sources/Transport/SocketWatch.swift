internal import CEpoll
internal import Glibc

/// libcurl's sockets in the epoll of their event loop.
///
/// libcurl stops watching a connection when a response is complete and starts again with the next request. A connection
/// that stays watched in between saves two system calls a request: `wanted` is what libcurl asks for, `watched` what
/// epoll knows. A connection that speaks up while nobody asks (the server closes it) is then really forgotten.
struct SocketWatch {
    private struct Socket {
        var wanted: UInt32 = 0
        var watched: UInt32 = 0
        /// libcurl tells when it closes it. It does not so with the socket pairs of its own threads, which therefore never
        /// stay watched: another socket may have the number next.
        var isConnection = false
    }

    /// What a socket that is ready means.
    enum OnReady {
        case act
        /// Nobody asked; it is no longer watched.
        case ignore
    }

    private let epoll: Int32
    /// By descriptor; as long as the highest one that libcurl had, which the process's limit of open files bounds.
    private var sockets: [Socket] = []

    /// - Parameter epoll: the event loop's.
    init(epoll: Int32) { self.epoll = epoll }

    /// libcurl wants to know of `events` on that socket; 0 for nothing any more.
    mutating func want(_ events: UInt32, of descriptor: Int32) {
        let index = Int(descriptor)
        if index >= sockets.count {
            sockets.append(contentsOf: repeatElement(Socket(), count: index + 1 - sockets.count))
        }
        if (sockets[index].wanted == 0) != (events == 0) { cepoll_begins_anew(descriptor) }
        sockets[index].wanted = events
        let watched = sockets[index].watched
        if events == 0 {
            // One that is watched for room to send is nearly always ready.
            if !sockets[index].isConnection || watched & CEPOLL_OUT != 0 { forget(descriptor) }
        } else if watched == 0 {
            sockets[index].isConnection = Self.isConnection(descriptor)
            watch(descriptor, events, isKnown: false)
        } else if watched != events {
            watch(descriptor, events, isKnown: true)
        }
    }

    mutating func isReady(_ descriptor: Int32) -> OnReady {
        guard Int(descriptor) < sockets.count, sockets[Int(descriptor)].wanted != 0 else {
            forget(descriptor)
            return .ignore
        }
        return .act
    }

    /// The descriptor is about to be closed, with which epoll forgets it.
    mutating func closes(_ descriptor: Int32) {
        cepoll_closes(descriptor)
        if Int(descriptor) < sockets.count { sockets[Int(descriptor)] = Socket() }
    }

    private mutating func watch(_ descriptor: Int32, _ events: UInt32, isKnown: Bool) {
        var code = isKnown ? cepoll_change(epoll, descriptor, events) : cepoll_watch(epoll, descriptor, events)
        if code == EEXIST { code = cepoll_change(epoll, descriptor, events) }
        precondition(code == 0, "epoll_ctl failed with error \(code)")
        sockets[Int(descriptor)].watched = events
    }

    private mutating func forget(_ descriptor: Int32) {
        _ = cepoll_forget(epoll, descriptor)  // fails only where it is not watched, which is what is wanted
        guard Int(descriptor) < sockets.count else { return }
        sockets[Int(descriptor)].watched = 0
        if !sockets[Int(descriptor)].isConnection { cepoll_closes(descriptor) }
    }

    private static func isConnection(_ descriptor: Int32) -> Bool {
        var domain: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain != AF_UNIX
    }
}
