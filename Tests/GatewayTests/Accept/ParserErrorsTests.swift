import NIOCore
import NIOHTTP1
import Testing

@testable import Gateway

@Suite("Bytes that the parser gives up on")
struct ParserErrorsTests {
    @Test("are a target too long in the request line, and header fields too large behind it")
    func overflow() {
        #expect(ParserErrors.gatewayError(.headerOverflow, targetIsTooLong: true).status == 414)
        #expect(ParserErrors.gatewayError(.headerOverflow, targetIsTooLong: false) == .headTooLarge)
    }

    @Test(
        "are malformed in every other way",
        arguments: [
            .invalidChunkSize, .invalidContentLength, .unexpectedContentLength, .invalidHeaderToken, .invalidMethod,
            .invalidURL,
            .invalidVersion, .invalidEOFState, .closedConnection, .unknown, .invalidConstant, .invalidStatus,
        ] as [HTTPParserError]
    )
    func malformed(error: HTTPParserError) {
        for targetIsTooLong in [true, false] {
            let answer = ParserErrors.gatewayError(error, targetIsTooLong: targetIsTooLong)
            #expect(answer.status == 400)
            #expect(answer.code == "MalformedRequest")
            #expect(answer.source == .downstream)
        }
    }

    @Test("are measured up to the first line feed, in whatever pieces they come")
    func requestLine() {
        var meter = RequestLineMeter()
        for (piece, length) in [("GET ", 4), ("/ HTTP/1.1", 14), ("\r", 15), ("\nHost: h", 15), ("more\n", 15)] {
            meter.advance(over: ByteBuffer(string: piece))
            #expect(meter.length == length)
        }
    }
}
