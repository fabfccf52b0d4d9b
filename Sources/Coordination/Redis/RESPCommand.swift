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
    mutating func writeRESP(count: Int) { writeLine(UInt8(ascii: "*"), count) }

    mutating func writeRESP(string: String) {
        writeLine(UInt8(ascii: "$"), string.utf8.count)
        writeString(string)
        writeLineEnd()
    }

    /// Whatever `write` makes, which has to be so many bytes.
    mutating func writeRESP(bytes: Int, _ write: (inout ByteBuffer) -> Void) {
        writeLine(UInt8(ascii: "$"), bytes)
        let start = writerIndex
        write(&self)
        precondition(writerIndex - start == bytes, "an argument is as long as announced")
        writeLineEnd()
    }

    /// A number as Redis expects one: in decimal digits.
    mutating func writeRESP(integer: Int) {
        withDecimalDigits(of: integer) { digits in
            writeLine(UInt8(ascii: "$"), digits.count)
            writeBytes(digits)
            writeLineEnd()
        }
    }

    private mutating func writeLine(_ type: UInt8, _ number: Int) {
        writeInteger(type)
        withDecimalDigits(of: number) { _ = writeBytes($0) }
        writeLineEnd()
    }

    private mutating func writeLineEnd() { writeInteger(0x0D0A as UInt16) }
}

/// The digits of a number on the stack; `String(number)` would do for fewer than sixteen of them only.
private func withDecimalDigits(of number: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
    var digits: InlineArray<20, UInt8> = .init(repeating: 0)
    var start = 20
    var rest = number.magnitude
    repeat {
        start -= 1
        digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
    } while rest > 0
    if number < 0 {
        start -= 1
        digits[start] = UInt8(ascii: "-")
    }
    withUnsafeBytes(of: &digits) { body(UnsafeRawBufferPointer(rebasing: $0[start...])) }
}
