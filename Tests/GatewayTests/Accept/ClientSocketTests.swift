import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import Gateway

@Suite("A client's socket")
struct ClientSocketTests {
    /// What a test does on the loop of a channel whose other end is a descriptor of ours.
    private func withChannel<Result: Sendable>(
        _ body: @escaping @Sendable (any Channel) throws -> Result
    ) async throws -> (result: Result, peer: CInt) {
        var ends: [CInt] = [-1, -1]
        try #require(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &ends) == 0)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .withConnectedSocket(ends[0])
            .get()
        let result = try await channel.eventLoop.submit { try body(channel) }.get()
        try await channel.close()
        return (result, ends[1])
    }

    private static func received(_ peer: CInt) -> [UInt8] {
        var all: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(peer, &piece, piece.count)
            guard count > 0 else { return all }
            all += piece[..<count]
        }
    }

    @Test("takes one buffer or two, in order")
    func order() async throws {
        let (sent, peer) = try await withChannel { channel in
            let socket = try #require(ClientSocket(channel))
            return [
                socket.send(ByteBuffer(string: "one "), nil),
                socket.send(ByteBuffer(string: "two "), ByteBuffer(string: "three ")),
                socket.send(nil, ByteBuffer(string: "four")),
                socket.send(nil, nil),
            ]
        }
        defer { close(peer) }
        #expect(sent == [4, 10, 4, 0])
        #expect(String(decoding: Self.received(peer), as: UTF8.self) == "one two three four")
    }

    @Test("tells how much of what it was given is gone when nobody reads, and then takes nothing")
    func full() async throws {
        let large = ByteBuffer(bytes: (0..<4 << 20).map { UInt8(truncatingIfNeeded: $0) })
        let (sent, peer) = try await withChannel { channel in
            let socket = try #require(ClientSocket(channel))
            return [socket.send(large, large), socket.send(large, nil)]
        }
        defer { close(peer) }
        #expect(sent[0] > 0 && sent[0] < large.readableBytes)
        #expect(sent[1] == 0)
        #expect(Self.received(peer) == Array(large.readableBytesView.prefix(sent[0])))
    }

    @Test("takes nothing while its channel has bytes to write, which come first")
    func channelFirst() async throws {
        let (sent, peer) = try await withChannel { channel in
            var socket = try #require(ClientSocket(channel))
            socket.channelWrites()
            let before = socket.send(ByteBuffer(string: "early"), nil)
            socket.channelHasWritten()
            return [before, socket.send(ByteBuffer(string: "late"), nil)]
        }
        defer { close(peer) }
        #expect(sent == [0, 4])
        #expect(String(decoding: Self.received(peer), as: UTF8.self) == "late")
    }

    @Test("takes nothing, and raises no signal, when the other end is closed")
    func closed() async throws {
        let (sent, peer) = try await withChannel { channel in
            let socket = try #require(ClientSocket(channel))
            let descriptor = try channel.pipeline.syncOperations
                .withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { $0 }
            #expect(shutdown(try #require(descriptor), CInt(SHUT_WR)) == 0)
            return socket.send(ByteBuffer(string: "lost"), nil)
        }
        defer { close(peer) }
        #expect(sent == 0)
    }

    @Test("is none once its channel is closed")
    func none() async throws {
        let closed = try await withChannel { $0 }
        defer { close(closed.peer) }
        let channel = closed.result
        let isNone = try await channel.eventLoop.submit { ClientSocket(channel) == nil }.get()
        #expect(isNone)
    }
}
