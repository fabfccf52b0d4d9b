internal import ArgumentParser
internal import Foundation
internal import Gateway
internal import Glibc

/// What the commands share that look into a running fleet.
struct OperatorOptions: ParsableArguments {
    @Option(help: "The fleet's configuration file; without it the variable \(ConfigurationSource.variable) is read.")
    var config: String?

    @Flag(help: "Print JSON, for programs.")
    var json = false

    /// Runs `body` on the Redis that the file names; a problem goes to standard error, with exit status 1.
    func run(_ body: (Operator) async throws -> Void) async throws {
        let configuration = try ConfigurationSource(config).loadOrExit()
        do {
            try await Operator.run(configuration, body)
        } catch let problem as Operator.Problem {
            FileHandle.standardError.write(Data("sluice: \(problem)\n".utf8))
            throw ExitCode(1)
        }
    }

    func show(_ tables: [OperatorTable]) { print(json ? tables.json : tables.text, terminator: "") }
}

/// Who changes something, and when.
enum Signature {
    /// The user that runs the command, or ran sudo, at this machine.
    static var who: String {
        let environment = ProcessInfo.processInfo.environment
        let name = environment["SUDO_USER"] ?? getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) }
        return "\(name ?? "\(getuid())")@\(ProcessInfo.processInfo.hostName)"
    }

    /// RFC 3339, in UTC.
    static var now: String { Date.now.ISO8601Format() }
}
