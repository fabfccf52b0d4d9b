/// Writes the few wire types of Protocol Buffers that OTLP's traces need (protobuf.dev, "Encoding").
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    /// An `int64`, an enum or a `bool`.
    mutating func varint(_ field: Int, _ value: Int) {
        tag(field, 0)
        append(UInt64(bitPattern: Int64(value)))
    }

    mutating func fixed64(_ field: Int, _ value: UInt64) {
        tag(field, 1)
        for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    mutating func fixed32(_ field: Int, _ value: UInt32) {
        tag(field, 5)
        for shift in stride(from: UInt32(0), to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    mutating func double(_ field: Int, _ value: Double) { fixed64(field, value.bitPattern) }

    mutating func string(_ field: Int, _ text: some StringProtocol) {
        tag(field, 2)
        append(UInt64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    /// Numbers in network order, as trace and span ids are written.
    mutating func bigEndian(_ field: Int, _ numbers: UInt64...) {
        tag(field, 2)
        append(UInt64(numbers.count * 8))
        for number in numbers {
            for shift in stride(from: UInt64(56), through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: number >> shift))
            }
        }
    }

    mutating func message(_ field: Int, _ build: (inout ProtobufWriter) -> Void) {
        var message = ProtobufWriter()
        build(&message)
        self.message(field, message.bytes)
    }

    mutating func message(_ field: Int, _ encoded: [UInt8]) {
        head(field, length: encoded.count)
        bytes.append(contentsOf: encoded)
    }

    /// The beginning of a message whose bytes follow.
    mutating func head(_ field: Int, length: Int) {
        tag(field, 2)
        append(UInt64(length))
    }

    mutating func append(encoded: [UInt8]) { bytes.append(contentsOf: encoded) }

    private mutating func tag(_ field: Int, _ wireType: UInt64) { append(UInt64(field) << 3 | wireType) }

    private mutating func append(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(value))
    }
}
