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

    mutating func optionalServiceTier() throws(BadRequest) -> ServiceTier? {
        guard let name = try self.optionalString() else { return nil }
        guard let tier = ServiceTier(rawValue: name) else {
            throw BadRequest("'\(name)' is not one of ['auto', 'default', 'priority'] - 'service_tier'")
        }
        return tier
    }

    /// `include_usage` of the next value, which is a `stream_options` object or null.
    mutating func includeUsage() throws(BadRequest) -> Bool {
        guard case .object = try self.peek() else {
            try self.null()
            return false
        }
        var includeUsage = false
        try self.object { reader, key throws(BadRequest) in
            if key == "include_usage" { includeUsage = try reader.optionalBool() ?? false } else { try reader.skip() }
        }
        return includeUsage
    }
}
