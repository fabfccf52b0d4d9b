import NIOCore

/// A supply of numbers that every vector is a stretch of, as text and as bytes, written once.
///
/// A vector is named by its input's hash: it starts at `hash % starts` and has as many numbers as asked for. Writing one
/// is a copy, not a conversion.
struct VectorTable {
    static let shared = VectorTable()
    static let maximumDimensions = 4_096
    private static let starts = 1_021

    private let text: ByteBuffer
    private let textOffsets: [Int]
    private let floats: [Float]

    private init() {
        var text = ByteBuffer()
        var offsets: [Int] = []
        var floats: [Float] = []
        var random = SplitMix64(seed: 1)
        for _ in 0..<(Self.starts + Self.maximumDimensions) {
            // A vector of 1,536 numbers within 0.04 of zero has a length of about 1.
            let float = Float(Int(random.next() >> 40) - (1 << 23)) / Float(1 << 23) * 0.04
            floats.append(float)
            offsets.append(text.writerIndex)
            text.writeString("\(float),")
        }
        offsets.append(text.writerIndex)
        self.text = text
        self.textOffsets = offsets
        self.floats = floats
    }

    func writeFloats(_ hash: UInt64, dimensions: Int, into buffer: inout ByteBuffer) {
        let start = Int(hash % UInt64(Self.starts))
        let from = self.textOffsets[start]
        // Without the comma behind the last number.
        let length = self.textOffsets[start + dimensions] - 1 - from
        buffer.writeStaticString("[")
        if let slice = self.text.getSlice(at: from, length: length) { buffer.writeImmutableBuffer(slice) }
        buffer.writeStaticString("]")
    }

    /// The numbers as 32-bit little-endian floats in base64.
    func writeBase64(_ hash: UInt64, dimensions: Int, into buffer: inout ByteBuffer) {
        let start = Int(hash % UInt64(Self.starts))
        buffer.writeStaticString("\"")
        self.floats[start..<(start + dimensions)].withUnsafeBytes { Base64.write($0, into: &buffer) }
        buffer.writeStaticString("\"")
    }
}

/// The body of an embeddings answer.
struct EmbeddingAnswer {
    let request: EmbeddingRequest
    let model: String

    var dimensions: Int {
        self.request.dimensions ?? (self.model.contains("3-large") ? 3_072 : 1_536)
    }

    /// - Parameter promptTokens: what the usage says; without it there is no usage.
    func writeBody(promptTokens: Int?, into buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"data\":[")
        for (index, input) in self.request.inputs.enumerated() {
            buffer.writeStaticString(index == 0 ? "{\"embedding\":" : ",{\"embedding\":")
            if self.request.base64 {
                VectorTable.shared.writeBase64(input.hash, dimensions: self.dimensions, into: &buffer)
            } else {
                VectorTable.shared.writeFloats(input.hash, dimensions: self.dimensions, into: &buffer)
            }
            buffer.writeStaticString(",\"index\":")
            buffer.writeDecimal(index)
            buffer.writeStaticString(",\"object\":\"embedding\"}")
        }
        buffer.writeStaticString("],\"model\":")
        buffer.writeJSON(self.model)
        buffer.writeStaticString(",\"object\":\"list\"")
        if let promptTokens {
            buffer.writeStaticString(",\"usage\":{\"prompt_tokens\":")
            buffer.writeDecimal(promptTokens)
            buffer.writeStaticString(",\"total_tokens\":")
            buffer.writeDecimal(promptTokens)
            buffer.writeStaticString("}")
        }
        buffer.writeStaticString("}")
    }
}

/// Base64 with padding (RFC 4648 section 4).
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func write(_ bytes: UnsafeRawBufferPointer, into buffer: inout ByteBuffer) {
        let size = (bytes.count + 2) / 3 * 4
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { target in
            var output = 0
            for input in stride(from: 0, to: bytes.count, by: 3) {
                let count = min(3, bytes.count - input)
                var group: UInt32 = 0
                for index in 0..<3 { group = group << 8 | (index < count ? UInt32(bytes[input + index]) : 0) }
                for index in 0..<4 {
                    let digit = Self.alphabet[Int(group >> UInt32(18 - 6 * index)) & 0x3F]
                    target[output + index] = index <= count ? digit : UInt8(ascii: "=")
                }
                output += 4
            }
            return size
        }
    }
}
