import Foundation
import Glibc
import NIOCore
import NIOEmbedded
import TestSupport
import Testing

@testable import Gateway

@Suite("The access log's choice of lines")
struct AccessLogChoiceTests {
    /// Statuses that have a line, in their order.
    private func lines(_ statuses: [Int], _ change: (inout GatewayConfiguration.Log) -> Void) async throws -> [Int] {
        let folder = try TemporaryFolder()
        let file = folder.url.appendingPathComponent("log")
        let descriptor = open(file.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        try #require(descriptor >= 0)
        let writer = LogWriter(descriptor: descriptor)
        var configuration = GatewayConfiguration.Log()
        change(&configuration)
        let log = AccessLog(configuration, writer: writer, eventLoop: EmbeddedEventLoop())
        for status in statuses {
            var record = ExchangeRecord(id: ExchangeID(process: 1, count: 1), start: .now(), end: .now())
            record.status = status
            log.write(record, endpointName: nil)
        }
        log.flush()
        try await writer.shutdown()
        close(descriptor)
        let text = try Data(contentsOf: file)
        return try text.split(separator: UInt8(ascii: "\n")).map { line in
            let object = try #require(try JSONSerialization.jsonObject(with: line) as? [String: Any])
            let status = try #require(object["status"] as? Int)
            #expect(object["level"] as? String == AccessLog.level(status).rawValue)
            return status
        }
    }

    private static let statuses = [200, 302, 399, 400, 429, 499, 500, 504, 101]

    @Test("has every request without more said")
    func all() async throws {
        #expect(try await lines(Self.statuses) { _ in } == Self.statuses)
    }

    @Test("leaves out the less severe ones")
    func levels() async throws {
        #expect(try await lines(Self.statuses) { $0.accessLevel = .warning } == [400, 429, 499, 500, 504])
        #expect(try await lines(Self.statuses) { $0.accessLevel = .error } == [500, 504])
    }

    @Test("leaves out a part of those that succeeded, and no failure")
    func sampling() async throws {
        #expect(try await lines(Self.statuses) { $0.accessSamplingRatio = 0 } == [400, 429, 499, 500, 504])
        let many = (0..<2_000).map { $0 % 2 == 0 ? 200 : 500 }
        let found = try await lines(many) { $0.accessSamplingRatio = 0.25 }
        #expect(found.filter { $0 == 500 }.count == 1_000)
        #expect((150..<350).contains(found.filter { $0 == 200 }.count))
    }

    @Test("has none where it is off")
    func off() async throws {
        #expect(try await lines(Self.statuses) { $0.access = false } == [])
    }
}
