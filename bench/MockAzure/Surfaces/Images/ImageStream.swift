import NIOCore

/// gpt-image's streamed image: drafts as it becomes clearer, then the image with its usage.
struct ImageStream: EventSource {
    private let answer: ImageAnswer
    /// The draft that comes next; the image comes after the last.
    private var index = 0

    init(_ answer: ImageAnswer) {
        self.answer = answer
    }

    private var drafts: Int { self.answer.request.partials }

    var next: StreamEvent? {
        if self.index > self.drafts { return nil }
        // All that an image costs comes with its last event, in the books as in the usage.
        let isLast = self.index == self.drafts
        return .output(isFirst: self.index == 0, completion: isLast ? self.answer.usage.completionTokens : 0)
    }

    mutating func writeNext(into buffer: inout ByteBuffer) {
        let isLast = self.index == self.drafts
        let operation = self.answer.isEdit ? "image_edit" : "image_generation"
        let type = "\(operation).\(isLast ? "completed" : "partial_image")"
        buffer.writeString("event: \(type)\ndata: {\"type\":\"\(type)\",\"b64_json\":\"")
        self.answer.writeBase64(into: &buffer)
        buffer.writeString("\",\"created_at\":\(self.answer.created),\"size\":\"\(self.answer.request.size)\",")
        buffer.writeString("\"quality\":\"\(self.answer.request.quality.rawValue)\",\"background\":\"opaque\",")
        buffer.writeStaticString("\"output_format\":\"png\"")
        if !isLast {
            buffer.writeString(",\"partial_image_index\":\(self.index)")
        } else if self.answer.withUsage {
            buffer.writeStaticString(",\"usage\":")
            self.answer.writeUsage(into: &buffer)
        }
        buffer.writeStaticString("}\n\n")
        self.index += 1
    }
}
