import Foundation
import Testing
import Transport

@testable import Gateway

@Suite("An error that the gateway answers")
struct GatewayErrorTests {
    private func object(_ json: String) throws -> [String: Any] {
        let outer = try #require(JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
        #expect(outer.count == 1)
        return try #require(outer["error"] as? [String: Any])
    }

    @Test("has Azure's shape whatever its text", arguments: LogLinesTests.hostile)
    func json(text: String) throws {
        let object = try object(GatewayError(400, text, text, source: .downstream).json)
        #expect(object.count == 2)
        #expect((object["code"] as? String)?.utf8.elementsEqual(text.utf8) == true)
        #expect((object["message"] as? String)?.utf8.elementsEqual(text.utf8) == true)
        #expect(
            (try self.object(GatewayError.modelUnknown(text).json)["message"] as? String)?.contains(text) == true
                || text.isEmpty
        )
    }

    @Test("is one line, so that it can stand in an event", arguments: LogLinesTests.hostile)
    func oneLine(text: String) {
        let json = GatewayError(400, text, text, source: .downstream).json
        #expect(!json.unicodeScalars.contains { $0.value < 0x20 })
    }

    static let statuses: [TransferError.Code: Int] = [
        .resolve: 502, .connect: 502, .tls: 502, .certificate: 502, .proxy: 502, .connectTimeout: 504,
        .poolTimeout: 503,
        .poolFull: 503, .firstByteTimeout: 504, .idleTimeout: 504, .totalTimeout: 504, .send: 502, .receive: 502,
        .closedEarly: 502, .protocolViolation: 502, .headTooLarge: 502, .requestBody: 502, .cancelled: 502,
        .resources: 500,
        .misuse: 500,
    ]

    @Test(
        "says why a transfer failed, and nothing of what is behind the gateway",
        arguments: TransferError.Code.allCases
    )
    func transferError(code: TransferError.Code) throws {
        let cause = "connect to 10.0.0.7 port 443 failed"
        let error = GatewayError(TransferError(code, blame: .upstream, mayHaveReachedServer: false, cause: cause))
        #expect(error.status == Self.statuses[code])
        #expect(error.code == "upstream_\(code.rawValue)")
        #expect(!error.json.contains("10.0.0.7"))
        #expect((error.retryAfter != nil) == (error.status == 503))
        #expect((error.source == .upstream) == [502, 504].contains(error.status))
        #expect(try object(error.json)["code"] as? String == error.code)
    }

    @Test("tells the client when to try again exactly where that helps")
    func retryAfter() {
        #expect(GatewayError.overloaded.retryAfter == 1000)
        #expect(GatewayError.shuttingDown.retryAfter == 1000)
        let others: [GatewayError] = [
            .unknownKey, .differingKeys, .modelNotAllowed("m"), .modelUnknown("m"), .methodNotAllowed, .headTimeout,
            .bodyTooLarge(limit: 1), .targetTooLong(limit: 1), .headTooLarge, .malformed("x"), .clientLeft,
        ]
        #expect(others.allSatisfy { $0.retryAfter == nil && $0.source == .downstream })
        #expect(others.map(\.status) == [401, 401, 403, 404, 405, 408, 413, 414, 431, 400, 499])
    }
}
