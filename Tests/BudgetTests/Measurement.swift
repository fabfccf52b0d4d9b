internal import Foundation

/// What `bench/counters/count` counted: a release build of the gateway under loads that are the same every time.
struct Measurement {
    private struct Load: Decodable {
        let totals: [String: Double]
        let calls: [String: Double]
    }

    private let loads: [String: Load]

    /// Starts the gateway and counts, which takes some 15 seconds.
    init(of loads: [String], executables: Executables) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "sluice-budgets-\(UUID().uuidString)"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        // Into files: a pipe that nobody reads fills up.
        let output = try FileHandle.creating(folder.appendingPathComponent("counts"))
        let errors = try FileHandle.creating(folder.appendingPathComponent("errors"))

        let process = Process()
        process.executableURL = Executables.checkout.appendingPathComponent("bench/counters/count")
        process.arguments =
            ["--json", "--sluice", executables.sluice.path, "--mock", executables.mockAzure.path] + loads
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        process.waitUntilExit()

        guard process.terminationStatus == 0 else {
            try errors.seek(toOffset: 0)
            let said = String(decoding: try errors.readToEnd() ?? Data(), as: UTF8.self)
            throw Failure(description: "bench/counters/count ended with \(process.terminationStatus): \(said)")
        }
        try output.seek(toOffset: 0)
        self.loads = try JSONDecoder().decode([String: Load].self, from: try output.readToEnd() ?? Data())
    }

    func amount(_ load: String, _ counter: String) -> Double? { loads[load]?.totals[counter] }

    /// Every counter of a load that moved, by name.
    func breakdown(_ load: String) -> String {
        let calls = (loads[load]?.calls ?? [:]).filter { $0.value >= 0.005 }
        return calls.sorted { $0.value > $1.value }
            .map { "\($0.key) \(($0.value * 100).rounded() / 100)" }.joined(separator: ", ")
    }
}

/// The release builds that are measured.
struct Executables {
    static let checkout = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    let sluice: URL
    let mockAzure: URL

    /// Those in `.build/release`, or others that the environment names.
    init(environment: [String: String] = ProcessInfo.processInfo.environment) throws {
        sluice = try Self.find("sluice", environment["BUDGET_SLUICE"])
        mockAzure = try Self.find("mock-azure", environment["BUDGET_MOCK_AZURE"])
    }

    private static func find(_ name: String, _ override: String?) throws -> URL {
        let file =
            override.map { URL(fileURLWithPath: $0) } ?? checkout.appendingPathComponent(".build/release/\(name)")
        guard FileManager.default.isExecutableFile(atPath: file.path) else {
            throw Failure(
                description: "budgets are of release builds, and there is none at \(file.path): `make test` builds it, "
                    + "and so does `make budgets`"
            )
        }
        return file
    }
}

struct Failure: Error, CustomStringConvertible {
    let description: String
}

extension FileHandle {
    fileprivate static func creating(_ file: URL) throws -> FileHandle {
        try Data().write(to: file)
        return try FileHandle(forUpdating: file)
    }
}
