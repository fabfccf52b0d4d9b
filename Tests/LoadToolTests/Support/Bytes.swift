import NIOCore

@testable import LoadTool

/// Calls `body` with the text cut in two at every place, and once cut into single bytes.
func forEachCut(_ text: String, _ body: ([ByteBuffer]) throws -> Void) rethrows {
    let bytes = Array(text.utf8)
    for cut in 0...bytes.count {
        try body([ByteBuffer(bytes: bytes[..<cut]), ByteBuffer(bytes: bytes[cut...])])
    }
    try body(bytes.map { ByteBuffer(bytes: [$0]) })
}

extension ByteBuffer {
    var text: String { String(buffer: self) }
}

func withBytes<Result>(_ text: String, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try Array(text.utf8).withUnsafeBytes(body)
}
