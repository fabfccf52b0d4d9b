/// Reads what people and models said, wherever a request carries it.
enum ContentReader {
    /// A text that begins with this has the content filter refuse the prompt, as the fault `content-filter=prompt` does.
    ///
    /// It reaches the mock through any client and any gateway.
    static let filteredMarker: StaticString = "mock:content-filter"

    /// The bytes of a content: a string, an array of parts of which the texts count, or null.
    static func bytes(_ reader: inout JSONReader, faults: inout Faults) throws(BadRequest) -> Int {
        var count = 0
        switch try reader.peek() {
        case .string:
            count = try self.text(&reader, faults: &faults)
        case .array:
            try reader.array { reader throws(BadRequest) in
                try reader.object { reader, key throws(BadRequest) in
                    if key == "text" {
                        count += try self.text(&reader, faults: &faults)
                    } else {
                        try reader.skip()
                    }
                }
            }
        case .null:
            try reader.null()
        case .object, .number, .bool:
            throw BadRequest("Invalid type for 'messages[].content': expected a string or an array.")
        }
        return count
    }

    static func text(_ reader: inout JSONReader, faults: inout Faults) throws(BadRequest) -> Int {
        let text = try reader.string()
        self.look(at: text, faults: &faults)
        return text.decodedCount
    }

    static func look(at text: JSONText, faults: inout Faults) {
        let marker = self.filteredMarker.utf8CodeUnitCount
        guard text.raw.count >= marker, text.raw[0] == UInt8(ascii: "m") else { return }
        if UnsafeRawBufferPointer(rebasing: text.raw[..<marker]) == self.filteredMarker { faults.filterPrompt() }
    }
}
