import NIOCore
import NIOHTTP1

/// One request as it arrives: what its head said, and the body so far.
struct IncomingRequest {
    /// Azure documents no bound; this one keeps a runaway client from filling the memory.
    static let maximumBodyBytes = 128 * 1024 * 1024

    /// What the client showed to prove who it is.
    enum Credential {
        case none
        case key(String)
        case bearer(String)
    }

    let head: HTTPRequestHead
    let target: RequestTarget
    private(set) var route: Route
    private(set) var credential = Credential.none
    private(set) var contentType = ""
    private(set) var expectsContinue = false
    private(set) var announcedBodyBytes: Int?
    private(set) var apiVersion: String?
    var faults = Faults()
    /// What the limits of its deployment count; set when the body is read.
    var demand = TokenDemand()
    /// A fault in head or query that cannot be read; answered when the request is complete.
    private(set) var refusal: BadRequest?
    private(set) var body = ByteBuffer()

    init(head: HTTPRequestHead) {
        self.head = head
        self.target = RequestTarget(head.uri)
        self.route = Route(path: self.target.path)
        do {
            try self.readHeaders()
            try self.readQuery()
        } catch {
            self.refusal = error
        }
    }

    /// Takes a piece of the body; false when there is more than is accepted.
    mutating func receive(_ piece: consuming ByteBuffer) -> Bool {
        guard self.body.readableBytes + piece.readableBytes <= Self.maximumBodyBytes else { return false }
        if self.body.readableBytes == 0 {
            self.body = piece
        } else {
            self.body.writeBuffer(&piece)
        }
        return true
    }

    /// The same request to another deployment of the resource.
    func redirected(to deployment: String) -> IncomingRequest {
        var redirected = self
        redirected.route.surface = .dated(deployment: deployment)
        return redirected
    }

    var isHead: Bool { self.head.method == .HEAD }

    private mutating func readHeaders() throws(BadRequest) {
        for (name, value) in self.head.headers {
            switch name.utf8.count {
            case 7 where name.matches("api-key"): self.credential = .key(value)
            case 13 where name.matches("authorization"): self.readAuthorization(value)
            case 12 where name.matches("content-type"): self.contentType = value
            case 14 where name.matches("content-length"): self.announcedBodyBytes = Int(value)
            case 6 where name.matches("expect"): self.expectsContinue = value.matches("100-continue")
            default: try self.faults.readHeader(name, value)
            }
        }
    }

    /// An `api-key` wins over a bearer token, whatever their order.
    private mutating func readAuthorization(_ value: String) {
        if case .key = self.credential { return }
        let scheme = "Bearer "
        guard value.utf8.count > scheme.utf8.count, value.prefix(scheme.count).matches(scheme) else { return }
        self.credential = .bearer(String(value.dropFirst(scheme.count)))
    }

    private mutating func readQuery() throws(BadRequest) {
        if self.target.query.isEmpty { return }
        try self.target.forEachParameter { name, value throws(BadRequest) in
            if name == "api-version" { self.apiVersion = value } else { try self.faults.readQuery(name, value) }
        }
    }
}

extension StringProtocol {
    /// Equality without regard to ASCII case, without a copy.
    func matches(_ other: String) -> Bool {
        guard self.utf8.count == other.utf8.count else { return false }
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        return zip(self.utf8, other.utf8).allSatisfy { $0 == $1 || ($0 ^ $1 == 0x20 && letters.contains($0 | 0x20)) }
    }
}
