package import NIOCore

/// A command that is written out once, when it is made: AUTH, PING and the like.
package struct RESPCommand: Sendable, Equatable {
    package let bytes: ByteBuffer

    package init(_ arguments: [String]) {
        var bytes = ByteBuffer()
        bytes.writeRESP(count: arguments.count)
        for argument in arguments { bytes.writeRESP(string: argument) }
        self.bytes = bytes
    }

    /// With bytes in the midst that need not be text.
    init(_ first: [String], _ value: [UInt8], _ rest: [String]) {
        var bytes = ByteBuffer()
        bytes.writeRESP(count: first.count + 1 + rest.count)
        for argument in first { bytes.writeRESP(string: argument) }
        bytes.writeRESP(bytes: value.count) { $0.writeBytes(value) }
        for argument in rest { bytes.writeRESP(string: argument) }
        self.bytes = bytes
    }

    static let ping = RESPCommand(["PING"])
}

/// One call of a script: its keys and arguments, encoded as they are added.
///
/// The bytes are kept until the reply is there, as the call may have to be sent again: with the text after NOSCRIPT, or on
/// another connection after READONLY. Nothing is allocated per argument.
package struct RedisScriptCall {
    package let script: RedisScript
    private(set) var keyCount = 0
    private var argumentCount = 0
    private(set) var body: ByteBuffer

    package init(_ script: RedisScript) {
        self.script = script
        body = ByteBufferAllocator().buffer(capacity: 512)
    }

    /// Keys come before arguments.
    package mutating func key(_ key: String) {
        precondition(argumentCount == 0, "a script's keys come before its arguments")
        keyCount += 1
        body.writeRESP(string: key)
    }

    /// A key in two parts, the second of them `bytes` long.
    mutating func key(_ prefix: String, bytes: Int, _ write: (inout ByteBuffer) -> Void) {
        precondition(argumentCount == 0, "a script's keys come before its arguments")
        keyCount += 1
        body.writeRESP(bytes: prefix.utf8.count + bytes) {
            $0.writeString(prefix)
            write(&$0)
        }
    }

    /// An argument that `write` makes, `bytes` long.
    mutating func argument(bytes: Int, _ write: (inout ByteBuffer) -> Void) {
        argumentCount += 1
        body.writeRESP(bytes: bytes, write)
    }

    package mutating func argument(_ value: Int) {
        argumentCount += 1
        body.writeRESP(integer: value)
    }

    package mutating func argument(_ text: String) {
        argumentCount += 1
        body.writeRESP(string: text)
    }

    /// Bytes on the wire, a little more than there will be.
    var byteCount: Int { body.readableBytes + 128 }

    /// Writes the whole command.
    func encode(into buffer: inout ByteBuffer, byText: Bool) {
        buffer.writeRESP(count: 3 + keyCount + argumentCount)
        buffer.writeImmutableBuffer(byText ? script.byText : script.byDigest)
        buffer.writeRESP(integer: keyCount)
        buffer.writeImmutableBuffer(body)
    }
}

extension ByteBuffer {
    /// The header of a command of so many arguments.
    mutating func writeRESP(count: Int) {
        withRESPCursor(atMost: RESPCursor.longestLine) { $0.line(UInt8(ascii: "*"), count) }
    }

    mutating func writeRESP(string: String) {
        var string = string
        string.withUTF8 { bytes in
            withRESPCursor(atMost: RESPCursor.longestLine + bytes.count + 2) { cursor in
                cursor.line(UInt8(ascii: "$"), bytes.count)
                cursor.bytes(bytes)
                cursor.lineEnd()
            }
        }
    }

    /// Whatever `write` makes, which has to be so many bytes.
    mutating func writeRESP(bytes: Int, _ write: (inout ByteBuffer) -> Void) {
        withRESPCursor(atMost: RESPCursor.longestLine) { $0.line(UInt8(ascii: "$"), bytes) }
        let start = writerIndex
        write(&self)
        precondition(writerIndex - start == bytes, "an argument is as long as announced")
        withRESPCursor(atMost: RESPCursor.longestLine) { $0.lineEnd() }
    }

    /// A number as Redis expects one: in decimal digits.
    mutating func writeRESP(integer: Int) {
        withRESPCursor(atMost: RESPCursor.longestLine * 2) { cursor in
            cursor.line(UInt8(ascii: "$"), RESPCursor.digits(of: integer))
            cursor.number(integer)
            cursor.lineEnd()
        }
    }

    private mutating func withRESPCursor(atMost count: Int, _ body: (inout RESPCursor) -> Void) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: count) { target in
            guard let start = target.baseAddress else { preconditionFailure("a buffer with room has an address") }
            var cursor = RESPCursor(start: start)
            body(&cursor)
            return cursor.count
        }
    }
}

/// Writes into memory that is known to be long enough: one check of room per argument, and no copy of its digits.
private struct RESPCursor {
    /// A type, a sign, nineteen digits and the end of the line, rounded up.
    static let longestLine = 24

    private let start: UnsafeMutableRawPointer
    private(set) var count = 0

    init(start: UnsafeMutableRawPointer) { self.start = start }

    mutating func line(_ type: UInt8, _ value: Int) {
        byte(type)
        number(value)
        lineEnd()
    }

    mutating func bytes(_ bytes: UnsafeBufferPointer<UInt8>) {
        if let source = bytes.baseAddress { (start + count).copyMemory(from: source, byteCount: bytes.count) }
        count += bytes.count
    }

    mutating func number(_ value: Int) {
        if value < 0 { byte(UInt8(ascii: "-")) }
        var rest = value.magnitude
        let end = count + Self.digits(of: value) - (value < 0 ? 1 : 0)
        for index in stride(from: end - 1, through: count, by: -1) {
            start.storeBytes(
                of: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10),
                toByteOffset: index,
                as: UInt8.self
            )
            rest /= 10
        }
        count = end
    }

    mutating func lineEnd() {
        byte(UInt8(ascii: "\r"))
        byte(UInt8(ascii: "\n"))
    }

    private mutating func byte(_ byte: UInt8) {
        start.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    /// Characters of a number, its sign included.
    static func digits(of value: Int) -> Int {
        var rest = value.magnitude / 10
        var count = value < 0 ? 2 : 1
        while rest > 0 {
            rest /= 10
            count += 1
        }
        return count
    }
}
