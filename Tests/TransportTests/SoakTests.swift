import NIOCore
import TestSupport
import Testing

@testable import Transport

extension EngineTests {
    @Suite("Many transfers")
    struct SoakTests {
        @Test(
            "300 at once on two loops, some cancelled at random: each ends once, and nothing is left",
            arguments: [1, 2, 3]
        )
        func many(_ seed: UInt64) async throws {
            try await withNginx(loops: 2) { nginx, engine in
                let body = patternBytes(count: 200_003)
                try nginx.write("file", body)
                var generator = SplitMix(seed: seed)
                var clients: [Client] = []
                for loop in 0..<2 {
                    clients.append(
                        engine.client("http://127.0.0.1:\(nginx.plain)", loop: loop) { $0.maxConnections = 40 }
                    )
                    clients.append(
                        engine.client("https://127.0.0.1:\(nginx.http2)", loop: loop) {
                            $0.caFile = nginx.caFile
                            $0.http2 = true
                            $0.maxConnections = 20
                        }
                    )
                }
                var probes: [(Client, Probe)] = []
                for _ in 0..<300 {
                    let client = clients[Int.random(in: 0..<4, using: &generator)]
                    let cancelAt = Int.random(in: 0..<4, using: &generator)
                    let pieces = Mutex(0)
                    let limit = Int.random(in: 1...10, using: &generator)
                    let probe = Probe(
                        onHead: { if cancelAt == 1 { $0.cancel() } },
                        onBody: { transfer, _ in
                            let count = pieces.withLock {
                                $0 += 1
                                return $0
                            }
                            if cancelAt == 2, count == limit { transfer.cancel() }
                            guard count % 3 == 0 else { return .taken }
                            let bound = NIOLoopBound(transfer, eventLoop: client.loop.eventLoop)
                            client.loop.eventLoop.execute { bound.value.resumeReceiving() }
                            return .pause
                        }
                    )
                    try await client.start("GET", "/file", probe)
                    probes.append((client, probe))
                    if Int.random(in: 0..<5, using: &generator) == 0 {
                        let (client, probe) = probes[Int.random(in: 0..<probes.count, using: &generator)]
                        try await probe.cancel(client)
                    }
                }
                var complete = 0
                for (client, probe) in probes {
                    let record = try await probe.end()
                    #expect(record.ends == 1)
                    #expect(!record.heardAfterEnd)
                    if record.error == nil {
                        complete += 1
                        let isWhole = record.body == body
                        #expect(isWhole, "\(record.body.count) bytes over HTTP/\(client.isHTTP2 ? 2 : 1)")
                    } else {
                        #expect(record.error?.code == .cancelled)
                    }
                }
                #expect(complete > 50 && complete < 290)
                for client in clients {
                    #expect(try await client.running() == 0)
                    #expect(try await client.waiting() == 0)
                }
            }
        }

        @Test("After a shutdown no descriptor and no thread is left")
        func nothingIsLeft() async throws {
            await #expect(processExitsWith: .success) {
                let nginx = try await Nginx.start()
                defer { nginx.stop() }
                try nginx.write("file", patternBytes(count: 100_000))
                var before: [String]?
                // The first round opens what a process opens once; the rounds after it must not add to that.
                for round in 0..<3 {
                    try await withEngine(loops: 2) { engine in
                        var probes: [(Client, Probe)] = []
                        for index in 0..<60 {
                            let client = engine.client(
                                index % 3 == 0 ? "https://127.0.0.1:\(nginx.http2)" : "http://127.0.0.1:\(nginx.plain)",
                                loop: index % 2
                            ) {
                                $0.caFile = nginx.caFile
                                $0.http2 = true
                            }
                            probes.append((client, try await client.start("GET", "/file")))
                        }
                        for (index, (client, probe)) in probes.enumerated() where index % 4 == 0 {
                            try await probe.cancel(client)
                        }
                        for (_, probe) in probes { _ = try await probe.end() }
                    }
                    try await eventually("threads and descriptors are back, round \(round)") {
                        guard OwnProcess.threads(named: "NIO-ELT") == 0 else { return false }
                        return before == nil || OwnProcess.descriptors == before
                    }
                    before = OwnProcess.descriptors
                }
            }
        }
    }
}
