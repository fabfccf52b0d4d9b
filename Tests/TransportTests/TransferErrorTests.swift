import CCurl
import Testing

@testable import Transport

@Suite("libcurl's errors as ours")
struct TransferErrorTests {
    /// What one code of libcurl means; `reaches` is for a request of which bytes have left.
    struct Meaning: Sendable, CustomTestStringConvertible {
        let curl: CURLcode
        let code: TransferError.Code
        let blame: TransferError.Blame
        let reaches: Bool

        init(_ curl: CURLcode, _ code: TransferError.Code, _ blame: TransferError.Blame, reaches: Bool) {
            self.curl = curl
            self.code = code
            self.blame = blame
            self.reaches = reaches
        }

        var testDescription: String { "CURLcode \(curl.rawValue)" }
    }

    static let meanings: [Meaning] = [
        Meaning(CURLE_COULDNT_RESOLVE_HOST, .resolve, .upstream, reaches: false),
        Meaning(CURLE_COULDNT_RESOLVE_PROXY, .proxy, .upstream, reaches: false),
        Meaning(CURLE_PROXY, .proxy, .upstream, reaches: false),
        Meaning(CURLE_COULDNT_CONNECT, .connect, .upstream, reaches: false),
        Meaning(CURLE_SSL_CONNECT_ERROR, .tls, .upstream, reaches: false),
        Meaning(CURLE_PEER_FAILED_VERIFICATION, .certificate, .configuration, reaches: false),
        Meaning(CURLE_SSL_ISSUER_ERROR, .certificate, .configuration, reaches: false),
        Meaning(CURLE_SSL_CACERT_BADFILE, .tls, .configuration, reaches: false),
        Meaning(CURLE_OPERATION_TIMEDOUT, .firstByteTimeout, .upstream, reaches: true),
        Meaning(CURLE_SEND_ERROR, .send, .upstream, reaches: true),
        Meaning(CURLE_SEND_FAIL_REWIND, .send, .upstream, reaches: true),
        Meaning(CURLE_RECV_ERROR, .receive, .upstream, reaches: true),
        Meaning(CURLE_GOT_NOTHING, .closedEarly, .upstream, reaches: true),
        Meaning(CURLE_PARTIAL_FILE, .closedEarly, .upstream, reaches: true),
        Meaning(CURLE_WEIRD_SERVER_REPLY, .protocolViolation, .upstream, reaches: true),
        Meaning(CURLE_UNSUPPORTED_PROTOCOL, .protocolViolation, .upstream, reaches: true),
        Meaning(CURLE_HTTP2, .protocolViolation, .upstream, reaches: true),
        Meaning(CURLE_HTTP2_STREAM, .protocolViolation, .upstream, reaches: true),
        Meaning(CURLE_READ_ERROR, .requestBody, .caller, reaches: true),
        Meaning(CURLE_ABORTED_BY_CALLBACK, .requestBody, .caller, reaches: true),
        Meaning(CURLE_WRITE_ERROR, .cancelled, .caller, reaches: true),
        Meaning(CURLE_OUT_OF_MEMORY, .resources, .gateway, reaches: true),
        Meaning(CURLE_URL_MALFORMAT, .misuse, .configuration, reaches: true),
        Meaning(CURLE_FAILED_INIT, .misuse, .gateway, reaches: true),
        Meaning(CURLE_UNKNOWN_OPTION, .misuse, .gateway, reaches: true),
        Meaning(CURLE_RECURSIVE_API_CALL, .misuse, .gateway, reaches: true),
    ]

    @Test("A code says what went wrong, whose doing it is, and whether the server can know", arguments: meanings)
    func meaning(_ meaning: Meaning) {
        let sent = TransferError(curl: meaning.curl, sent: true, connected: true)
        #expect(sent.code == meaning.code)
        #expect(sent.blame == meaning.blame)
        #expect(sent.mayHaveReachedServer == meaning.reaches)
        let unsent = TransferError(curl: meaning.curl, sent: false, connected: true)
        #expect(unsent.code == meaning.code)
        #expect(unsent.blame == meaning.blame)
        #expect(!unsent.mayHaveReachedServer, "of a request that never left, no server knows")
    }

    @Test("A timeout before a connection stood is a connect timeout, and no server knows of the request")
    func connectTimeout() {
        let error = TransferError(curl: CURLE_OPERATION_TIMEDOUT, sent: true, connected: false)
        #expect(error.code == .connectTimeout)
        #expect(error.blame == .upstream)
        #expect(!error.mayHaveReachedServer)
    }

    @Test("Every code that libcurl 7.88 has, and those it may get, has a meaning and words")
    func everyCode() {
        for value in UInt32(1)...120 {
            for sent in [false, true] {
                for connected in [false, true] {
                    let error = TransferError(curl: CURLcode(rawValue: value), sent: sent, connected: connected)
                    #expect(!error.cause.isEmpty, "CURLcode \(value)")
                    #expect(sent || !error.mayHaveReachedServer, "CURLcode \(value)")
                    #expect(error.description == "\(error.code.rawValue): \(error.cause)")
                }
            }
        }
    }

    @Test("Codes are distinct words for metrics and logs")
    func words() {
        let words = TransferError.Code.allCases.map(\.rawValue)
        #expect(Set(words).count == words.count)
        for word in words { #expect(word.allSatisfy { $0.isLowercase || $0 == "_" }) }
    }
}
