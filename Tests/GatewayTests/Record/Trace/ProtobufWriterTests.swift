import Testing

@testable import Gateway

@Suite("Protocol Buffers")
struct ProtobufWriterTests {
    private func bytes(_ write: (inout ProtobufWriter) -> Void) -> [UInt8] {
        var writer = ProtobufWriter()
        write(&writer)
        return writer.bytes
    }

    @Test("are written as their description's examples are (protobuf.dev, \"Encoding\")")
    func examples() {
        #expect(bytes { $0.varint(1, 150) } == [0x08, 0x96, 0x01])
        #expect(bytes { $0.string(2, "testing") } == [0x12, 0x07] + Array("testing".utf8))
        #expect(bytes { $0.message(3) { $0.varint(1, 150) } } == [0x1A, 0x03, 0x08, 0x96, 0x01])
        #expect(bytes { $0.varint(1, -2) } == [0x08, 0xFE] + [UInt8](repeating: 0xFF, count: 8) + [0x01])
    }

    @Test("have fixed numbers in little-endian order, ids in network order, and tags of two bytes from 16 on")
    func numbers() {
        #expect(bytes { $0.fixed64(7, 0x0102_0304_0506_0708) } == [0x39, 8, 7, 6, 5, 4, 3, 2, 1])
        #expect(bytes { $0.fixed32(16, 0x0102_0304) } == [0x85, 0x01, 4, 3, 2, 1])
        #expect(bytes { $0.bigEndian(2, 0x0102_0304_0506_0708) } == [0x12, 8, 1, 2, 3, 4, 5, 6, 7, 8])
        #expect(bytes { $0.double(4, 1) } == [0x21, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F])
        #expect(bytes { $0.varint(1, 0) } == [0x08, 0x00])
        #expect(bytes { $0.varint(1, .max) } == [0x08] + [UInt8](repeating: 0xFF, count: 8) + [0x7F])
    }
}
