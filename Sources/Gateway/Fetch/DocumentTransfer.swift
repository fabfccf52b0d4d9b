internal import NIOCore
internal import Transport

/// A small document from a server: what the slow paths fetch, keys and tokens.
struct Document {
    let status: Int
    let body: [UInt8]
    /// What `retry-after` asks for, in seconds.
    let retryAfterSeconds: Int?
}

enum DocumentError: Error, Equatable {
    case transfer(TransferError)
    case tooLarge

    /// For logs.
    var reason: String {
        switch self {
        case .transfer(let error): error.code.rawValue
        case .tooLarge: "too_large"
        }
    }
}

/// One request for a document, collected up to a bound. Redirects are answers like others: nobody follows them.
final class DocumentTransfer: TransferObserver {
    typealias Completion = (Result<Document, DocumentError>) -> Void

    static let timeouts = TransferTimeouts(
        connect: .seconds(5),
        firstByte: .seconds(10),
        idle: .seconds(5),
        total: .seconds(15)
    )

    private let maxBytes: Int
    private var completion: Completion?
    private var transfer: Transfer?
    private var body: [UInt8] = []
    private var isTooLarge = false

    private init(maxBytes: Int, completion: @escaping Completion) {
        self.maxBytes = maxBytes
        self.completion = completion
    }

    /// To be called on the origin's event loop; so is `completion`, once, and never before this returns.
    static func start(
        _ request: TransferRequest,
        at origin: Origin,
        maxBytes: Int,
        completion: @escaping Completion
    ) -> DocumentTransfer {
        let document = DocumentTransfer(maxBytes: maxBytes, completion: completion)
        document.transfer = origin.start(request, observer: document)
        return document
    }

    /// Nobody will be told any more.
    func cancel() {
        completion = nil
        transfer?.cancel()
    }

    func transferReceivedHead(_ transfer: Transfer) {}

    func transferReceived(_ transfer: Transfer, body bytes: UnsafeRawBufferPointer) -> BodyDisposition {
        guard body.count + bytes.count <= maxBytes else {
            isTooLarge = true
            body = []
            transfer.cancel()
            return .taken
        }
        body.append(contentsOf: bytes)
        return .taken
    }

    func transferWantsBody(_ transfer: Transfer, into room: UnsafeMutableRawBufferPointer) -> BodySupply { .end }

    func transferTurnEnded(_ transfer: Transfer) {}

    func transferEnded(_ transfer: Transfer, error: TransferError?) {
        self.transfer = nil
        guard let completion else { return }
        self.completion = nil
        if isTooLarge { return completion(.failure(.tooLarge)) }
        if let error { return completion(.failure(.transfer(error))) }
        let retryAfter = transfer.head.fields.first { transfer.head.matches($0, "retry-after") }
        completion(
            .success(
                Document(
                    status: transfer.head.status,
                    body: body,
                    retryAfterSeconds: retryAfter.flatMap { transfer.head.number($0) }
                )
            )
        )
    }
}
