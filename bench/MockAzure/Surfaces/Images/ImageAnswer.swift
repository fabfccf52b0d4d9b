import NIOCore

/// Images, of which all are the same; decided once from request and faults.
struct ImageAnswer {
    /// What an image to start from costs, of the usual size at low fidelity.
    private static let tokensPerInput = 323
    /// A PNG of one pixel.
    private static let pixel: [UInt8] = [
        0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0x00, 0x00, 0x00, 0x0D, 0x49, 0x48, 0x44, 0x52,
        0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x06, 0x00, 0x00, 0x00, 0x1F, 0x15, 0xC4,
        0x89, 0x00, 0x00, 0x00, 0x0D, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9C, 0x63, 0x50, 0x48, 0x58, 0xF0,
        0x1F, 0x00, 0x03, 0xE4, 0x02, 0x20, 0x7B, 0x86, 0x0E, 0xDC, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45,
        0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82,
    ]

    /// DALL-E answers with URLs or base64 as asked, and has no usage; gpt-image has base64 and a usage.
    let isDALLE: Bool
    let isEdit: Bool
    let request: ImageRequest
    let created: Int
    let id: UInt64
    let withUsage: Bool
    let usage: Usage
    /// Bytes of an image, before base64.
    private let imageBytes: Int

    init(_ request: ImageRequest, model: String, isEdit: Bool, faults: Faults, id: UInt64, created: Int) {
        self.isDALLE = model.contains("dall-e")
        self.isEdit = isEdit
        self.request = request
        self.created = created
        self.id = id
        self.withUsage = faults.usage && !self.isDALLE
        self.usage = Usage(
            prompt: request.promptTokens + request.inputs * Self.tokensPerInput,
            words: request.count * Self.tokensPerImage(request),
            faults: faults.content
        )
        self.imageBytes = max(faults.bytes ?? 0, Self.pixel.count)
    }

    /// What is booked: DALL-E is paid by the image.
    var booked: Usage? { self.isDALLE ? nil : self.usage }

    /// OpenAI's table for gpt-image-1: by quality, and square or not.
    private static func tokensPerImage(_ request: ImageRequest) -> Int {
        let sides = request.size.split(separator: "x").compactMap { Int($0) }
        let isSquare = sides.count == 2 && sides[0] == sides[1]
        let isTall = sides.count == 2 && sides[0] < sides[1]
        return switch request.quality {
        case .low: isSquare ? 272 : isTall ? 408 : 400
        case .medium: isSquare ? 1_056 : isTall ? 1_584 : 1_568
        case .high: isSquare ? 4_160 : isTall ? 6_240 : 6_208
        }
    }

    func writeBody(into buffer: inout ByteBuffer) {
        buffer.writeString("{\"created\":\(self.created),\"data\":[")
        for index in 0..<self.request.count {
            if index > 0 { buffer.writeStaticString(",") }
            self.writeImage(index, into: &buffer)
        }
        buffer.writeStaticString("]")
        if !self.isDALLE {
            buffer.writeString(",\"background\":\"opaque\",\"output_format\":\"png\",")
            buffer.writeString("\"quality\":\"\(self.request.quality.rawValue)\",\"size\":\"\(self.request.size)\"")
        }
        if self.withUsage {
            buffer.writeStaticString(",\"usage\":")
            self.writeUsage(into: &buffer)
        }
        buffer.writeStaticString("}")
    }

    private func writeImage(_ index: Int, into buffer: inout ByteBuffer) {
        if self.isDALLE {
            buffer.writeStaticString("{\"content_filter_results\":")
            buffer.writeStaticString(Fragments.deltaFilter)
            buffer.writeStaticString(",\"prompt_filter_results\":")
            buffer.writeStaticString(Fragments.deltaFilter)
            buffer.writeStaticString(",\"revised_prompt\":\"A picture of the prompt.\",")
        } else {
            buffer.writeStaticString("{")
        }
        if self.isDALLE && self.request.asURL {
            buffer.writeStaticString("\"url\":\"https://mock.blob.core.windows.net/images/")
            buffer.writeHex(self.id &+ UInt64(index), digits: 16)
            buffer.writeStaticString(".png\"}")
        } else {
            buffer.writeStaticString("\"b64_json\":\"")
            self.writeBase64(into: &buffer)
            buffer.writeStaticString("\"}")
        }
    }

    /// The pixel, and zeros behind it where a larger image was asked for.
    func writeBase64(into buffer: inout ByteBuffer) {
        var image = ByteBufferAllocator().buffer(capacity: self.imageBytes)
        image.writeBytes(Self.pixel)
        image.writeRepeatingByte(0, count: self.imageBytes - Self.pixel.count)
        image.withUnsafeReadableBytes { Base64.write($0, into: &buffer) }
    }

    /// gpt-image's usage (azure.md 5.7).
    func writeUsage(into buffer: inout ByteBuffer) {
        let images = min(self.request.inputs * Self.tokensPerInput, self.usage.promptTokens)
        buffer.writeString("{\"total_tokens\":\(self.usage.totalTokens),\"input_tokens\":\(self.usage.promptTokens),")
        buffer.writeString("\"output_tokens\":\(self.usage.completionTokens),\"input_tokens_details\":")
        buffer.writeString("{\"text_tokens\":\(self.usage.promptTokens - images),\"image_tokens\":\(images)}}")
    }
}
