import Foundation
import NIOCore
import NIOSSL
import TestSupport
import Testing

@testable import Transport

extension EngineTests {
    @Suite("TLS and proxies")
    struct TLSTests {
        @Test("A certificate of a configured authority is accepted")
        func caFile() async throws {
            try await withNginx { nginx, engine in
                for host in ["127.0.0.1", "localhost"] {
                    let client = engine.client("https://\(host):\(nginx.tls)") { $0.caFile = nginx.caFile }
                    let record = try await client.send("GET", "/echo/x?y")
                    #expect(record.error == nil)
                    #expect(record.text == "GET /echo/x?y")
                }
            }
        }

        @Test("Records of any size, many in a segment, come whole through pauses", arguments: [1, 2, 3, 4, 5])
        func records(_ seed: UInt64) async throws {
            var random = SplitMix(seed: seed)
            let bytes = patternBytes(count: 60_000, seed: seed)
            var pieces: [[UInt8]] = []
            var start = 0
            while start < bytes.count {
                let most = [1, 8, 80, 800, 16_000].randomElement(using: &random)!
                let end = min(bytes.count, start + Int.random(in: 1...most, using: &random))
                pieces.append(Array(bytes[start..<end]))
                start = end
            }
            let folder = try TemporaryFolder()
            try await withServer(tls: Self.serverContext(in: folder.url)) { server in
                try await withEngine { engine in
                    let client = engine.client(server.base) { $0.caFile = folder.url.path + "/ca.pem" }
                    let offers = Mutex(0)
                    let probe = Probe(
                        onBody: { transfer, _ in
                            let offer = offers.withLock {
                                $0 += 1
                                return $0
                            }
                            guard offer.isMultiple(of: 3) else { return .taken }
                            let bound = NIOLoopBound(transfer, eventLoop: client.loop.eventLoop)
                            client.loop.eventLoop.scheduleTask(in: .microseconds(200)) { bound.value.resumeReceiving() }
                            return .pause
                        }
                    )
                    try await client.start("GET", "/", probe)
                    let connection = try await server.connection()
                    try await connection.receive()
                    connection.send("HTTP/1.1 200 OK\r\ncontent-length: \(bytes.count)\r\n\r\n")
                    while !pieces.isEmpty {
                        let count = min(pieces.count, Int.random(in: 1...40, using: &random))
                        connection.send(together: Array(pieces[..<count]))
                        pieces.removeFirst(count)
                        if Bool.random(using: &random) { try await connection.channel.eventLoop.submit {}.get() }
                    }
                    let record = try await probe.end()
                    #expect(record.error == nil)
                    #expect(record.body == bytes)
                }
            }
        }

        private static func serverContext(in folder: URL) async throws -> NIOSSLContext {
            try await Certificates(in: folder).issue("server", hosts: "IP:127.0.0.1")
            return try NIOSSLContext(
                configuration: .makeServerConfiguration(
                    certificateChain: NIOSSLCertificate.fromPEMFile(folder.path + "/server.pem").map {
                        .certificate($0)
                    },
                    privateKey: .privateKey(NIOSSLPrivateKey(file: folder.path + "/server.key", format: .pem))
                )
            )
        }

        @Test("Trusted certificates are read once for all connections")
        func readOnce() async throws {
            try await withNginx { nginx, engine in
                let file = nginx.folder.appending(path: "moved.pem").path
                try FileManager.default.copyItem(atPath: nginx.caFile, toPath: file)
                let client = engine.client("https://127.0.0.1:\(nginx.tls)") { $0.caFile = file }
                let first = try await client.send("GET", "/resumed")
                #expect(first.error == nil)
                try FileManager.default.removeItem(atPath: file)
                let second = try await client.send("GET", "/resumed")
                #expect(second.error == nil)
            }
        }

        @Test("What one origin trusts says nothing for another, though it is the same server")
        func trustIsApart() async throws {
            try await withNginx { nginx, engine in
                let base = "https://127.0.0.1:\(nginx.tls)"
                let trusting = engine.client(base) { $0.caFile = nginx.caFile }
                let other = engine.client(base)
                for _ in 0..<3 {
                    let accepted = try await trusting.send("GET", "/resumed")
                    #expect(accepted.error == nil)
                    let refused = try await other.send("GET", "/resumed")
                    #expect(refused.error?.code == .certificate)
                }
            }
        }

        @Test("A certificate that nobody vouches for is certificate_rejected")
        func untrusted() async throws {
            try await withNginx { nginx, engine in
                let record = try await engine.client("https://127.0.0.1:\(nginx.tls)").send("POST", body: .text("b"))
                #expect(record.error?.code == .certificate)
                #expect(record.error?.blame == .configuration)
                #expect(record.error?.mayHaveReachedServer == false)
                #expect(record.ends == 1)
            }
        }

        @Test("A certificate for another host is certificate_rejected")
        func wrongHost() async throws {
            try await withNginx { nginx, engine in
                let client = engine.client("https://127.0.0.1:\(nginx.otherHost)") { $0.caFile = nginx.caFile }
                let record = try await client.send()
                #expect(record.error?.code == .certificate)
                #expect(record.error?.mayHaveReachedServer == false)
            }
        }

        @Test("A file of authorities that is not there is our configuration's fault")
        func missingFile() async throws {
            try await withNginx { nginx, engine in
                let client = engine.client("https://127.0.0.1:\(nginx.tls)") { $0.caFile = nginx.caFile + ".missing" }
                let record = try await client.send()
                #expect(record.error?.code == .tls)
                #expect(record.error?.blame == .configuration)
                #expect(record.error?.mayHaveReachedServer == false)
            }
        }

        @Test("TLS to a server that speaks plain HTTP is tls_failed")
        func plainServer() async throws {
            try await withNginx { nginx, engine in
                let record = try await engine.client("https://127.0.0.1:\(nginx.plain)").send()
                #expect(record.error?.code == .tls)
                #expect(record.error?.mayHaveReachedServer == false)
            }
        }

        @Test(
            "A configured proxy is asked for a tunnel, and only the server sees the request",
            arguments: [false, true]
        )
        func proxy(_ usesTLS: Bool) async throws {
            let proxy = try await ConnectProxy.start()
            try await withNginx { nginx, engine in
                let port = usesTLS ? nginx.tls : nginx.plain
                let client = engine.client("\(usesTLS ? "https" : "http")://127.0.0.1:\(port)") {
                    $0.proxy = proxy.address
                    $0.caFile = nginx.caFile
                }
                for index in 0..<3 {
                    let record = try await client.send("GET", "/echo/\(index)", headers: [("api-key", "secret")])
                    #expect(record.error == nil)
                    #expect(record.heads == 1)
                    #expect(record.text == "GET /echo/\(index)")
                }
                #expect(proxy.heads.count == 1, "the tunnel is kept")
                #expect(proxy.heads.first?.hasPrefix("CONNECT 127.0.0.1:\(port) HTTP/1.1\r\n") == true)
                #expect(proxy.heads.first?.contains("secret") == false, "fields of the request are not for the proxy")
            }
            try await proxy.stop()
        }

        @Test("A proxy that refuses the tunnel fails the transfer, and no head of it is heard")
        func proxyRefuses() async throws {
            let proxy = try await ConnectProxy.start(
                refusal: "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n"
            )
            try await withEngine { engine in
                let client = engine.client("https://127.0.0.1:\(LoopbackPort.free())") { $0.proxy = proxy.address }
                let record = try await client.send("POST", body: .text("b"))
                #expect(record.heads == 0)
                #expect(record.ends == 1)
                #expect(record.error?.blame == .upstream)
                #expect(record.error?.code == .proxy)
                #expect(record.error?.mayHaveReachedServer == false)
            }
            try await proxy.stop()
        }

        @Test("A proxy that is not there is connect_failed")
        func proxyAway() async throws {
            let port = LoopbackPort.refusing()
            let address = "http://127.0.0.1:\(port.port)"
            try await withEngine { engine in
                let record = try await engine.client("http://127.0.0.1:1") { $0.proxy = address }.send()
                #expect(record.error?.code == .connect)
                #expect(record.error?.mayHaveReachedServer == false)
            }
        }
    }
}
