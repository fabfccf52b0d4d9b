import Testing
import Transport

extension ResponseHead {
    /// The head that libcurl's lines make.
    static func of(_ status: Int, _ fields: [String]) throws -> ResponseHead {
        let head = ResponseHead()
        for line in ["HTTP/1.1 \(status) Some Phrase"] + fields {
            #expect(Array("\(line)\r\n".utf8).withUnsafeBytes { head.append(line: $0) } == .more)
        }
        let end = Array("\r\n".utf8).withUnsafeBytes { head.append(line: $0) }
        try #require(end == .complete)
        return head
    }
}
