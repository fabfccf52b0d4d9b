internal import Foundation
internal import Glibc
internal import TestSupport
internal import Testing

extension Integration {
    /// Minutes of a real clock, so `make front-door` runs it, on a release build.
    @Suite("Front Door's probes and kept connections, for two minutes")
    struct FrontDoorCostTests {
        private static let isOn = ProcessInfo.processInfo.environment["SLUICE_FRONT_DOOR"] != nil
        private static let id = "dddddddd-0000-0000-0000-000000000001"
        private static let seconds = 100.0
        /// All of Front Door's sites probe an origin; this is what a large profile brings.
        private static let probesPerSecond = 10.0

        @Test(
            "ten probes a second on new connections cost less than 1 % of a core, and a connection is kept past 90 s",
            .enabled(if: isOn)
        )
        func probes() throws {
            var configuration = GatewayConfigurationText()
            configuration.top = ["front_door: {ids: [\(Self.id)]}"]
            let gateway = try Gateway(configuration, upstream: ScriptedUpstream.answering())
            let kept = try gateway.connect()
            try kept.request("GET", "/openai/models", headers: ["X-Azure-FDID: \(Self.id)"])
            #expect(try kept.response().status == 200)

            let start = ContinuousClock.now
            let before = try Self.processorSeconds(gateway.process.id)
            let count = Int(Self.seconds * Self.probesPerSecond)
            for number in 0..<count {
                let due = start.advanced(by: .seconds(Double(number) / Self.probesPerSecond))
                let pause = ContinuousClock.now.duration(to: due) / .microseconds(1)
                if pause > 0 { usleep(UInt32(pause)) }
                let probe = try gateway.connect()
                try probe.send("GET /health/front-door HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n")
                #expect(try probe.response().status == 200)
            }
            let elapsed = start.duration(to: .now) / .seconds(1)
            let used = try Self.processorSeconds(gateway.process.id) - before
            print("\(count) probes in \(elapsed) s used \(used) s of a core: \(used / elapsed * 100) %")
            #expect(used / elapsed < 0.01)

            #expect(elapsed > 90)
            try kept.request("GET", "/openai/models", headers: ["X-Azure-FDID: \(Self.id)"])
            #expect(try kept.response().status == 200, "the connection was kept for \(elapsed) s")
        }

        /// User and system time of a process (proc(5)), to a hundredth of a second.
        private static func processorSeconds(_ process: pid_t) throws -> Double {
            let text = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
            let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
            guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else {
                throw Unexpected("the statistics of process \(process)")
            }
            return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
        }
    }
}
