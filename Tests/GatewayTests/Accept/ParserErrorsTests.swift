import NIOCore
import NIOHTTP1
import Testing

@testable import Gateway

@Suite("Bytes that the parser gives up on")
struct ParserErrorsTests {
    @Test("are a target too long in the request line, and header fields too large behind it")
    func overflow() {
        #expect(ParserErrors.gatewayError(.headerOverflow, inRequestLine: true).status == 414)
        #expect(ParserErrors.gatewayError(.headerOverflow, inRequestLine: false) == .headTooLarge)
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
        for inRequestLine in [true, false] {
            let answer = ParserErrors.gatewayError(error, inRequestLine: inRequestLine)
            #expect(answer.status == 400)
            #expect(answer.code == "MalformedRequest")
            #expect(answer.source == .downstream)
        }
    }

    @Test("are behind the request line once a line feed has come, in whatever piece")
    func requestLine() {
        var meter = RequestLineMeter()
        for piece in ["GET ", "/ HTTP/1.1", "\r"] {
            meter.advance(over: ByteBuffer(string: piece))
            #expect(!meter.isComplete)
        }
        meter.advance(over: ByteBuffer(string: "\nHost: h"))
        #expect(meter.isComplete)
        meter.advance(over: ByteBuffer(string: "more"))
        #expect(meter.isComplete)
    }
}
