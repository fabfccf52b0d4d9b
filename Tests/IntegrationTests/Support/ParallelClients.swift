internal import Glibc
internal import TestSupport

/// Thousands of connections on one thread: each sends a request and gathers what comes back until its end.
final class ParallelClients {
    private let sockets: [TCPSocket]
    private var inboxes: [[UInt8]]
    private var isOpen: [Bool]
    /// Clients that have received their first byte.
    private(set) var begun = 0

    init(_ sockets: [TCPSocket]) {
        self.sockets = sockets
        inboxes = [[UInt8]](repeating: [], count: sockets.count)
        isOpen = [Bool](repeating: true, count: sockets.count)
    }

    func sendToAll(_ request: [UInt8]) throws { for socket in sockets { try socket.send(request) } }

    func received(_ index: Int) -> [UInt8] { inboxes[index] }

    /// Receives until every connection has ended. `eachRound` is called now and then in between.
    func run(until deadline: Deadline, eachRound: () throws -> Void) throws {
        var entries = sockets.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        var open = sockets.count
        var room = [UInt8](repeating: 0, count: 65_536)
        var round = 0
        while open > 0 {
            if deadline.hasPassed { throw TimedOut(awaited: "the end of \(open) streams") }
            guard poll(&entries, nfds_t(entries.count), 100) >= 0 || errno == EINTR else {
                throw SystemError(call: "poll")
            }
            for index in entries.indices where entries[index].revents != 0 {
                let count = recv(sockets[index].descriptor, &room, room.count, Int32(MSG_DONTWAIT))
                if count > 0 {
                    if inboxes[index].isEmpty { begun += 1 }
                    inboxes[index].append(contentsOf: room[..<count])
                } else if count == 0 || errno != EAGAIN {
                    entries[index].fd = -1
                    entries[index].revents = 0
                    open -= 1
                }
            }
            round += 1
            if round % 20 == 0 { try eachRound() }
        }
    }
}

extension TCPSocket {
    /// A socket from which bytes received earlier can be received again, so that the strict reader can take them apart.
    static func replaying(_ bytes: [UInt8]) throws -> TCPSocket {
        var pair: [Int32] = [0, 0]
        try SystemError.check(
            socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &pair),
            "socketpair"
        )
        let sender = TCPSocket(descriptor: pair[0])
        var size = Int32(bytes.count)
        setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        try sender.send(bytes, until: .in(.seconds(5)))
        sender.close()
        return TCPSocket(descriptor: pair[1])
    }
}

/// What every stream of `mock-azure` with the same faults has in common: all bytes but its own id and time.
struct StreamPattern {
    private let reference: [UInt8]
    /// Where in the reference an id or a time stands.
    private var variable: [Range<Int>] = []

    /// - Parameter events: how many `data:` events there must be, without `[DONE]`.
    init(reference: [UInt8], events: Int) throws {
        self.reference = reference
        let text = String(decoding: reference, as: UTF8.self)
        let found = text.split(separator: "\n\n").count - 1
        guard found == events, text.hasSuffix("data: [DONE]\n\n") else {
            throw Unexpected("a stream of \(found) events: \(text.prefix(300)) ... \(text.suffix(300))")
        }
        for mark in ["\"id\":\"chatcmpl-", "\"created\":"].map({ Array($0.utf8) }) {
            let ends: Set<UInt8> = [UInt8(ascii: "\""), UInt8(ascii: ",")]
            for start in reference.indices where reference[start...].starts(with: mark) {
                let value = start + mark.count
                variable.append(value..<(reference[value...].firstIndex { ends.contains($0) } ?? value))
            }
        }
        variable.sort { $0.lowerBound < $1.lowerBound }
    }

    /// What is wrong with a body, if anything.
    func difference(_ body: [UInt8]) -> String? {
        guard body.count == reference.count else { return "\(body.count) bytes in place of \(reference.count)" }
        var start = 0
        for range in variable + [reference.count..<reference.count] {
            guard Self.isSame(body, reference, start..<range.lowerBound) else {
                return "other bytes within \(start)..<\(range.lowerBound): "
                    + String(decoding: body[start..<range.lowerBound], as: UTF8.self)
            }
            start = range.upperBound
        }
        // All ids of one stream are the same: no event of another one is in it.
        let ids = variable.filter { $0.count == 16 }
        guard let first = ids.first, ids.count > 1 else { return "no ids" }
        let isMixed = ids.contains { !body[$0].elementsEqual(body[first]) }
        return isMixed ? "events of different streams" : nil
    }

    private static func isSame(_ one: [UInt8], _ other: [UInt8], _ range: Range<Int>) -> Bool {
        one.withUnsafeBytes { one in
            other.withUnsafeBytes { other in
                memcmp(one.baseAddress! + range.lowerBound, other.baseAddress! + range.lowerBound, range.count) == 0
            }
        }
    }
}
