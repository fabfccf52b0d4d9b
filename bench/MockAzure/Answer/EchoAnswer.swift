import NIOCore
import NIOHTTP1

/// A request as it was received: order and case of the headers, chunking resolved.
struct EchoAnswer {
    /// A longer body is told by its size and hash alone.
    private static let maximumBodyText = 64 * 1024

    let head: HTTPRequestHead
    let body: ByteBuffer

    func writeBody(into buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"method\":")
        buffer.writeJSON(self.head.method.rawValue)
        buffer.writeStaticString(",\"target\":")
        buffer.writeJSON(self.head.uri)
        buffer.writeString(",\"version\":\"\(self.head.version.major).\(self.head.version.minor)\",\"headers\":[")
        for (index, (name, value)) in self.head.headers.enumerated() {
            buffer.writeStaticString(index == 0 ? "[" : ",[")
            buffer.writeJSON(name)
            buffer.writeStaticString(",")
            buffer.writeJSON(value)
            buffer.writeStaticString("]")
        }
        buffer.writeStaticString("],\"body_bytes\":")
        buffer.writeDecimal(self.body.readableBytes)
        buffer.writeStaticString(",\"body_fnv1a64\":\"")
        buffer.writeHex(self.body.withUnsafeReadableBytes { FNV1a.hash($0) }, digits: 16)
        buffer.writeStaticString("\",\"body\":")
        if self.body.readableBytes <= Self.maximumBodyText {
            buffer.writeJSON(String(buffer: self.body))
        } else {
            buffer.writeStaticString("null")
        }
        buffer.writeStaticString("}")
    }
}
