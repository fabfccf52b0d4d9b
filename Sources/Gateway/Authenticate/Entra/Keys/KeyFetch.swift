internal import NIOCore
internal import Transport

/// Fetches the two documents of one set of keys, one after the other, and reads them. Single use.
final class KeyFetch {
    enum Failure: Error {
        case transfer(DocumentError)
        case status(Int)
        case document(KeyDocumentError)

        /// For logs.
        var reason: String {
            switch self {
            case .transfer(let error): error.reason
            case .status(let status): "status_\(status)"
            case .document(let error): error.rawValue
            }
        }
    }

    struct Fetched {
        let keys: KeySet
        let documents: SharedKeys.Documents
    }

    typealias Completion = (Result<Fetched, Failure>) -> Void

    private let tenant: EntraTenant
    private let version: TokenClaims.Version
    private let earlier: KeySet?
    private let origin: Origin
    private let completion: Completion
    private var transfer: DocumentTransfer?

    /// To be called on the origin's event loop, on which `completion` is called once, unless it is cancelled before.
    init(
        tenant: EntraTenant,
        version: TokenClaims.Version,
        earlier: KeySet?,
        origin: Origin,
        completion: @escaping Completion
    ) {
        self.tenant = tenant
        self.version = version
        self.earlier = earlier
        self.origin = origin
        self.completion = completion
        get(tenant.metadataPath(version), maxBytes: MetadataDocument.maxBytes) { self.received(metadata: $0) }
    }

    func cancel() { transfer?.cancel() }

    /// Reads documents that came in another way.
    static func read(
        _ documents: SharedKeys.Documents,
        tenant: EntraTenant,
        version: TokenClaims.Version,
        earlier: KeySet?
    ) throws(KeyDocumentError) -> KeySet {
        guard documents.metadata.count <= MetadataDocument.maxBytes,
            documents.keys.count <= KeySet.maxDocumentBytes
        else { throw .malformed }
        let metadata = try MetadataDocument(documents.metadata, tenant: tenant, version: version)
        return try KeySet(documents.keys, metadata: metadata, tenant: tenant, earlier: earlier)
    }

    private func received(metadata: [UInt8]) {
        do throws(KeyDocumentError) {
            let target = try MetadataDocument(metadata, tenant: tenant, version: version).keysTarget
            get(target, maxBytes: KeySet.maxDocumentBytes) { self.received(keys: $0, metadata: metadata) }
        } catch {
            completion(.failure(.document(error)))
        }
    }

    private func received(keys: [UInt8], metadata: [UInt8]) {
        let documents = SharedKeys.Documents(metadata: metadata, keys: keys)
        do throws(KeyDocumentError) {
            let keys = try Self.read(documents, tenant: tenant, version: version, earlier: earlier)
            completion(.success(Fetched(keys: keys, documents: documents)))
        } catch {
            completion(.failure(.document(error)))
        }
    }

    private func get(_ target: String, maxBytes: Int, then: @escaping ([UInt8]) -> Void) {
        let headers = HeaderArena()
        headers.add("Accept", "application/json")
        headers.add(line: "User-Agent:")
        let request = TransferRequest(method: "GET", target: target, headers: headers, body: .none)
        transfer = DocumentTransfer.start(request, at: origin, maxBytes: maxBytes) { result in
            switch result {
            case .failure(let error): self.completion(.failure(.transfer(error)))
            case .success(let document) where document.status == 200: then(document.body)
            case .success(let document): self.completion(.failure(.status(document.status)))
            }
        }
    }
}
