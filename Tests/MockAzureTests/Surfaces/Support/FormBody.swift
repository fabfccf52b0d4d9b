import NIOCore

/// A `multipart/form-data` body.
struct FormBody {
    static let contentType = "multipart/form-data; boundary=limit"

    private(set) var bytes = ByteBuffer()

    init(_ fields: [(String, String)], files: [(field: String, name: String, content: [UInt8])] = []) {
        for (name, value) in fields {
            self.bytes.writeString("--limit\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n")
        }
        for file in files {
            self.bytes.writeString("--limit\r\nContent-Disposition: form-data; name=\"\(file.field)\"; ")
            self.bytes.writeString("filename=\"\(file.name)\"\r\nContent-Type: application/octet-stream\r\n\r\n")
            self.bytes.writeBytes(file.content)
            self.bytes.writeString("\r\n")
        }
        self.bytes.writeString("--limit--\r\n")
    }
}

/// Where calls go, in the three forms of azure.md 5.1.
enum Target {
    static let version = "api-version=2024-10-21"

    static func deployment(_ name: String, _ operation: String) -> String {
        "/openai/deployments/\(name)/\(operation)?\(self.version)"
    }

    static func resource(_ path: String) -> String { "/openai/\(path)?\(self.version)" }

    static func v1(_ path: String) -> String { "/openai/v1/\(path)" }
}
