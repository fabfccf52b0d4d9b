internal import ArgumentParser
internal import Foundation
internal import Gateway
internal import Glibc

/// `sluice top`
struct Top: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Watch the fleet: replicas, deployments and limits, again and again.",
        discussion: """
            Example: sluice top --config sluice.yaml --interval 1

            On a terminal it draws over itself until it is interrupted. Without one it prints a page --count times, once
            unless told. Changes nothing.
            """
    )

    @Option(help: "Seconds between two pages.")
    var interval = 2.0

    @Option(help: "Pages; without end on a terminal, one elsewhere.")
    var count: Int?

    @OptionGroup var options: OperatorOptions

    func validate() throws {
        guard interval >= 0.1, interval <= 3600 else { throw ValidationError("--interval takes 0.1 to 3600") }
        guard count ?? 1 > 0 else { throw ValidationError("--count takes 1 or more") }
    }

    func run() async throws {
        let isTerminal = isatty(STDOUT_FILENO) == 1 && !options.json
        let pages = count ?? (isTerminal ? .max : 1)
        try await options.run { fleet in
            for page in 0..<pages {
                if page > 0 { try await Task.sleep(for: .seconds(interval)) }
                let tables =
                    [try await fleet.status()[0], try await fleet.deploymentTable(), try await fleet.limits(of: nil)]
                // Home, and away with what is below: a terminal is not to flicker.
                if isTerminal { print("\u{1B}[H\u{1B}[J\(Signature.now)\n") }
                options.show(tables)
                fflush(nil)
            }
        }
    }
}
