import NIOCore

/// The state of every event loop, to be read on its own loop only.
struct Shards: Sendable {
    private let loops: [NIOLoopBound<LoopState>]

    init(_ group: some EventLoopGroup) throws {
        self.loops = try group.makeIterator().enumerated().map { index, eventLoop in
            try eventLoop.submit { NIOLoopBound(LoopState(index: index), eventLoop: eventLoop) }.wait()
        }
    }

    /// The state of `eventLoop`, which is the one we are on.
    func state(of eventLoop: any EventLoop) -> LoopState {
        for loop in self.loops where loop.eventLoop === eventLoop { return loop.value }
        preconditionFailure("the event loop is not of the group the shards were made for")
    }

    /// The books of all loops, added up.
    func total(on eventLoop: any EventLoop) -> EventLoopFuture<Books> {
        self.onEach(eventLoop) { $0.books }.map { books in
            books.reduce(into: Books()) { $0 += $1 }
        }
    }

    func reset(on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        self.onEach(eventLoop) { $0.books.reset() }.map { _ in }
    }

    private func onEach<Value: Sendable>(
        _ eventLoop: any EventLoop,
        _ body: @escaping @Sendable (LoopState) -> Value
    ) -> EventLoopFuture<[Value]> {
        let parts = self.loops.map { loop in loop.eventLoop.submit { body(loop.value) } }
        return EventLoopFuture.whenAllSucceed(parts, on: eventLoop)
    }
}
