/// A multipart/form-data body.
struct Multipart {
    static let boundary = "a-boundary-of-the-tests"

    var fields: [(name: String, value: String)]
    /// Bytes of a file behind the fields; none without.
    var fileBytes = 0

    var contentType: String { "multipart/form-data; boundary=\(Self.boundary)" }

    var body: [UInt8] {
        var body: [UInt8] = []
        for (name, value) in fields {
            body += Array(
                "--\(Self.boundary)\r\ncontent-disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n".utf8
            )
        }
        if fileBytes > 0 {
            body += Array(
                """
                --\(Self.boundary)\r\ncontent-disposition: form-data; name="file"; filename="tone.wav"\r\n\
                content-type: audio/wav\r\n\r\n
                """.utf8
            )
            body += [UInt8](repeating: 0xA5, count: fileBytes)
            body += Array("\r\n".utf8)
        }
        return body + Array("--\(Self.boundary)--\r\n".utf8)
    }
}
