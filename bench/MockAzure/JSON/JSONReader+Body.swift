import NIOCore

extension ByteBuffer {
    /// Reads the bytes as one JSON object, to the last of them.
    func readJSONObject(
        _ member: (inout JSONReader, JSONText) throws(BadRequest) -> Void
    ) throws(BadRequest) {
        // `withUnsafeReadableBytes` rethrows without a type, so the outcome travels as a value.
        let outcome = self.withUnsafeReadableBytes { bytes -> Result<Void, BadRequest> in
            var reader = JSONReader(bytes)
            do throws(BadRequest) {
                try reader.object(member)
                try reader.end()
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try outcome.get()
    }
}

extension JSONReader {
    /// `nil` for null, which clients send for what they leave out.
    mutating func optional<Value>(
        _ read: (inout JSONReader) throws(BadRequest) -> Value
    ) throws(BadRequest) -> Value? {
        if case .null = try self.peek() {
            try self.null()
            return nil
        }
        return try read(&self)
    }

    mutating func optionalString() throws(BadRequest) -> String? {
        try self.optional { reader throws(BadRequest) in try reader.string().decoded() }
    }

    mutating func optionalBool() throws(BadRequest) -> Bool? {
        try self.optional { reader throws(BadRequest) in try reader.bool() }
    }

    mutating func optionalInteger(in range: ClosedRange<Int>) throws(BadRequest) -> Int? {
        try self.optional { reader throws(BadRequest) in try reader.integer(in: range) }
    }
}
