internal import ArgumentParser
internal import Foundation
internal import Gateway

/// `sluice health`: for container engines, which can run a command in an image but may find no curl in it.
struct Health: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask a running gateway whether it is well.",
        discussion: """
            Example: sluice health --admin 127.0.0.1:9090

            Asks /health/live of the admin listener, which answers under any load, and waits for two seconds at most.
            Exit status: 0 when it is well; 1 when it is not, or does not answer, with the reason on standard error.
            """
    )

    @Option(help: "The admin listener, host:port.")
    var admin = "127.0.0.1:9090"

    @Flag(help: "Ask whether it is ready for traffic (/health/ready): from the start of a shutdown on it is not.")
    var ready = false

    func validate() throws { _ = try address() }

    func run() throws {
        let probe = HealthProbe(address: try address(), path: ready ? "/health/ready" : "/health/live")
        do {
            let status = try probe.status()
            guard status == 200 else { throw HealthProbe.Failure("\(probe.path) answers \(status)") }
        } catch let failure as HealthProbe.Failure {
            FileHandle.standardError.write(Data("sluice: \(failure.reason) (admin listener \(admin))\n".utf8))
            throw ExitCode(1)
        }
    }

    private func address() throws -> ListenAddress {
        guard let address = ListenAddress(admin), address.port != 0 else {
            throw ValidationError("--admin takes host:port, for example 127.0.0.1:9090 or [::1]:9090")
        }
        return address
    }
}
