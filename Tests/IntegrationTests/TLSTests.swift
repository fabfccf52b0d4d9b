internal import Foundation
internal import Glibc
internal import TestSupport
internal import Testing

extension Integration {
    @Suite("TLS on the data plane")
    struct TLSTests {
        private let folder: TemporaryFolder
        private let upstream: ScriptedUpstream
        private let gateway: Gateway

        init() throws {
            folder = try TemporaryFolder()
            upstream = try ScriptedUpstream.answering()
            try Self.makeCertificate(named: "one", in: folder)
            try Self.makeCertificate(named: "two", in: folder)
            try Self.install("one", in: folder)
            var configuration = GatewayConfigurationText()
            let path = folder.url.path
            configuration.top = ["tls: {certificate: \(path)/tls.crt, key: \(path)/tls.key}"]
            gateway = try Gateway(configuration, upstream: upstream)
        }

        /// A self-signed certificate for `localhost`: NAME.crt and NAME.key.
        private static func makeCertificate(named name: String, in folder: TemporaryFolder) throws {
            let path = folder.url.path
            let openssl = try ChildProcess(
                "/usr/bin/openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=\(name)", "-addext", "subjectAltName=DNS:localhost", "-keyout", "\(path)/\(name).key",
                    "-out", "\(path)/\(name).crt",
                ],
                output: folder.url.appendingPathComponent("openssl")
            )
            guard try openssl.awaitExit() == .exited(0) else { throw Unexpected("openssl: \(openssl.printed)") }
        }

        /// Puts a pair where the gateway reads it, each file at one stroke, as a mounted secret changes.
        private static func install(_ name: String, in folder: TemporaryFolder) throws {
            for kind in ["key", "crt"] {
                let copy = folder.url.appendingPathComponent("new.\(kind)")
                try Data(contentsOf: folder.url.appendingPathComponent("\(name).\(kind)")).write(to: copy)
                try SystemError.check(
                    rename(copy.path, folder.url.appendingPathComponent("tls.\(kind)").path),
                    "rename"
                )
            }
        }

        private func connect(trusting name: String) throws -> TLSClient {
            try TLSClient(port: gateway.port, authority: folder.url.appendingPathComponent("\(name).crt").path)
        }

        /// Whether a request works on that connection.
        private func asks(_ client: TLSClient) throws -> Bool {
            try client.send(Client.bytes("GET", "/openai/models"))
            return try client.receive(until: "{}").hasPrefix("HTTP/1.1 200 OK\r\n")
        }

        @Test("serves requests to those who trust its certificate, and nobody else")
        func serves() throws {
            #expect(try asks(connect(trusting: "one")))
            #expect(throws: (any Error).self) { try connect(trusting: "two") }
            // Plain HTTP on the TLS port gets nothing.
            let plain = try gateway.connect()
            try plain.request("GET", "/openai/models")
            let answer = String(decoding: try plain.drain(), as: UTF8.self)
            #expect(!answer.contains("HTTP/1.1 200"))
            #expect(upstream.requests.count == 1)
        }

        @Test("takes new files for new connections, while a standing one keeps working")
        func reloads() throws {
            let standing = try connect(trusting: "one")
            #expect(try asks(standing))
            try Self.install("two", in: folder)
            let fresh = try wait(for: "the new certificate") { try? connect(trusting: "two") }
            #expect(try asks(fresh))
            #expect(throws: (any Error).self) { try connect(trusting: "one") }
            #expect(try asks(standing))
        }

        @Test("keeps the old certificate when the new files are broken, and says so once")
        func brokenFiles() throws {
            try "no certificate".write(
                to: folder.url.appendingPathComponent("tls.crt"),
                atomically: true,
                encoding: .utf8
            )
            try wait(for: "the log to say so") {
                gateway.process.printed.contains("TLS certificate could not be reloaded")
            }
            #expect(try asks(connect(trusting: "one")))
            // Mended files are taken again.
            try Self.install("two", in: folder)
            let fresh = try wait(for: "the new certificate") { try? connect(trusting: "two") }
            #expect(try asks(fresh))
        }
    }
}
