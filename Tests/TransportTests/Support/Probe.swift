import NIOCore
import TestSupport

@testable import Transport

/// An observer that writes down everything it hears, and does in each callback what a test tells it to.
final class Probe: TransferObserver, @unchecked Sendable {  // the record is locked; the rest belongs to the event loop
    struct Record: Sendable {
        var isStarted = false
        var heads = 0
        var status = 0
        var fields: [String] = []
        var body: [UInt8] = []
        /// Calls that brought body bytes, taken or not.
        var pieces = 0
        var turns = 0
        var ends = 0
        var error: TransferError?
        /// Something was heard behind the end, which must not be.
        var heardAfterEnd = false
        var uploadPauses = 0

        /// Ended with the whole response.
        var isComplete: Bool { ends > 0 && error == nil }
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    typealias OnEvent = @Sendable (Transfer) -> Void
    typealias OnBody = @Sendable (Transfer, UnsafeRawBufferPointer) -> BodyDisposition

    /// The transfer while it may be used: until its end.
    var transfer: Transfer?
    private let record = Mutex(Record())
    private let onHead: OnEvent
    private let onBody: OnBody
    private let onTurnEnded: OnEvent
    private let onEnd: OnEvent
    private var upload: [ArraySlice<UInt8>] = []
    private var uploadIsComplete = false

    init(
        onHead: @escaping OnEvent = { _ in },
        onBody: @escaping OnBody = { _, _ in .taken },
        onTurnEnded: @escaping OnEvent = { _ in },
        onEnd: @escaping OnEvent = { _ in }
    ) {
        self.onHead = onHead
        self.onBody = onBody
        self.onTurnEnded = onTurnEnded
        self.onEnd = onEnd
    }

    var now: Record { record.withLock { $0 } }

    func started() { record.withLock { $0.isStarted = true } }

    // MARK: waiting

    func end() async throws -> Record {
        try await until("a transfer ends") { $0.ends > 0 }
        return now
    }

    func until(_ what: String, _ condition: (Record) -> Bool) async throws {
        do {
            try await eventually(what) { record.withLock { condition($0) } }
        } catch let error as TimedOut {
            var seen = now
            let body = seen.body.count
            seen.body = []
            throw TimedOut(awaited: "\(error); \(body) bytes of body, \(seen)")
        }
    }

    // MARK: acting, from outside the event loop

    private func onLoop(of client: Client, _ body: @escaping @Sendable (Probe) -> Void) async throws {
        try await client.loop.eventLoop.submit { body(self) }.get()
    }

    func cancel(_ client: Client) async throws { try await onLoop(of: client) { $0.transfer?.cancel() } }
    func resume(_ client: Client) async throws { try await onLoop(of: client) { $0.transfer?.resumeReceiving() } }

    /// Adds bytes to a streamed request body.
    func feed(_ bytes: [UInt8], _ client: Client) async throws {
        try await onLoop(of: client) {
            $0.upload.append(bytes[...])
            $0.transfer?.resumeSending()
        }
    }

    func finishUpload(_ client: Client) async throws {
        try await onLoop(of: client) {
            $0.uploadIsComplete = true
            $0.transfer?.resumeSending()
        }
    }

    // MARK: TransferObserver

    func transferReceivedHead(_ transfer: Transfer) {
        note {
            $0.heads += 1
            $0.status = transfer.head.status
            $0.fields = transfer.head.fields.map { field in
                let name = String(decoding: transfer.head.bytes[field.name], as: UTF8.self)
                return name + ": " + String(decoding: transfer.head.bytes[field.value], as: UTF8.self)
            }
        }
        onHead(transfer)
    }

    func transferReceived(_ transfer: Transfer, body: UnsafeRawBufferPointer) -> BodyDisposition {
        note { $0.pieces += 1 }
        let disposition = onBody(transfer, body)
        if disposition == .taken { note { $0.body.append(contentsOf: body) } }
        return disposition
    }

    func transferWantsBody(_ transfer: Transfer, into room: UnsafeMutableRawBufferPointer) -> BodySupply {
        guard let first = upload.first else {
            if uploadIsComplete { return .end }
            note { $0.uploadPauses += 1 }
            return .pause
        }
        let count = min(first.count, room.count)
        room.copyBytes(from: first.prefix(count))
        upload[0] = first.dropFirst(count)
        if upload[0].isEmpty { upload.removeFirst() }
        return .bytes(count)
    }

    func transferTurnEnded(_ transfer: Transfer) {
        note { $0.turns += 1 }
        onTurnEnded(transfer)
    }

    func transferEnded(_ transfer: Transfer, error: TransferError?) {
        note {
            $0.error = error
        }
        onEnd(transfer)
        self.transfer = nil
        record.withLock { $0.ends += 1 }
    }

    private func note(_ change: (inout Record) -> Void) {
        record.withLock {
            if $0.ends > 0 { $0.heardAfterEnd = true }
            change(&$0)
        }
    }
}
