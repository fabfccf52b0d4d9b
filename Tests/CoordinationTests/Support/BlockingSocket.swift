import NIOCore
import TestSupport

@testable import Coordination

/// A connection to a loopback port that blocks, for what a test says to a server beside the client under test.
final class BlockingSocket {
    private let socket: TCPSocket
    private let reader = RESPReader()
    private let buffer: UnsafeMutableRawBufferPointer

    private static let patience = Duration.seconds(5)

    init?(port: Int) {
        guard let socket = try? TCPSocket.connect(port: port) else { return nil }
        self.socket = socket
        buffer = .allocate(byteCount: 65_536, alignment: 16)
    }

    deinit { buffer.deallocate() }

    /// Sends a command and waits for its answer; `nil` when the connection ends or nothing comes.
    func command(_ arguments: [String]) -> RESPReply? {
        replies(to: RESPCommand(arguments).bytes, count: 1)?.first
    }

    /// Sends commands in one go and waits for all answers; `nil` when the connection ends or nothing comes.
    func replies(to commands: ByteBuffer, count: Int) -> [RESPReply]? {
        let sent: Void? = try? commands.withUnsafeReadableBytes { try socket.send($0, until: .in(Self.patience)) }
        guard sent != nil else { return nil }
        var replies: [RESPReply] = []
        while replies.count < count {
            if let reply = try? reader.next() {
                replies.append(reply)
                continue
            }
            guard let received = try? socket.receive(into: buffer, until: .in(Self.patience)), received > 0 else {
                return nil
            }
            reader.feed(UnsafeRawBufferPointer(rebasing: buffer[..<received]))
        }
        return replies
    }
}
