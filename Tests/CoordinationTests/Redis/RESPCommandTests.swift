import CHiredis
import Glibc
import NIOCore
import TestSupport
import Testing

@testable import Coordination

@Suite struct RESPCommandTests {
    /// The same command as hiredis writes it.
    private static func hiredis(_ arguments: [String]) -> [UInt8] {
        var pointers: [UnsafePointer<CChar>?] = arguments.map { UnsafePointer(strdup($0)) }
        let lengths = arguments.map { $0.utf8.count }
        defer { for pointer in pointers { free(UnsafeMutableRawPointer(mutating: pointer)) } }
        var target: UnsafeMutablePointer<CChar>?
        let count = redisFormatCommandArgv(&target, Int32(arguments.count), &pointers, lengths)
        defer { redisFreeCommand(target) }
        return target.map { Array(UnsafeRawBufferPointer(start: $0, count: Int(count))) } ?? []
    }

    private static let numbers = [0, 1, -1, 9, 10, 99, 100, 12_345_678_901_234_567, .max, .min]

    @Test func writesCommandsAsHiredisDoes() {
        for arguments in [["PING"], ["AUTH", "user", "pässword\r\n$3"], ["", String(repeating: "x", count: 100_000)]] {
            #expect(Array(RESPCommand(arguments).bytes.readableBytesView) == Self.hiredis(arguments))
        }
    }

    @Test func writesScriptCallsAsHiredisDoes() {
        let script = RedisScript(name: "test", text: "return {KEYS[1], ARGV[1]} -- ü")
        var generator = SplitMix(seed: 3)
        for _ in 0..<500 {
            var call = RedisScriptCall(script)
            var rest: [String] = []
            let keys = (0..<Int.random(in: 0..<12, using: &generator)).map { "{0}:v1:\($0):ключ" }
            for key in keys { call.key(key) }
            for _ in 0..<Int.random(in: 0..<20, using: &generator) {
                if Bool.random(using: &generator) {
                    let number =
                        Self.numbers.randomElement(using: &generator)! &+ Int.random(in: 0..<3, using: &generator)
                    call.argument(number)
                    rest.append(String(number))
                } else {
                    let text = String(repeating: "a\n", count: Int.random(in: 0..<70, using: &generator))
                    call.argument(text)
                    rest.append(text)
                }
            }
            for byText in [false, true] {
                var buffer = ByteBuffer(string: "before")
                call.encode(into: &buffer, byText: byText)
                let head = byText ? ["EVAL", script.text] : ["EVALSHA", script.digest]
                let expected = Self.hiredis(head + [String(keys.count)] + keys + rest)
                #expect(Array(buffer.readableBytesView) == Array("before".utf8) + expected)
                #expect(byText || expected.count <= call.byteCount)
            }
        }
    }

    @Test func namesScriptsAsRedisDoes() {
        #expect(RedisScript.probe.digest == "e0e1f9fabfc9d4800c877a703b823ac0578ff8db")
    }
}
