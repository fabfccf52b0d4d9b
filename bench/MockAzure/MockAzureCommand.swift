import ArgumentParser
import Glibc

/// `mock-azure`: a stand-in for Azure OpenAI, with faults on demand.
@main
struct MockAzureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mock-azure",
        abstract: "A stand-in for Azure OpenAI, with faults on demand.",
        discussion: """
            Faults come as x-mock-KEY headers, as mock-KEY query parameters, as a "mock" object in a JSON body, or as \
            "user": "mock:KEY=VALUE,KEY=VALUE". Keys: \(Faults.Key.allCases.map(\.rawValue).joined(separator: ", ")).
            """
    )

    @Option(help: "Address and port to listen on; port 0 takes a free one.")
    var listen = "127.0.0.1:8081"

    @Option(help: "Event loops, each on a thread of its own.")
    var threads = 1

    @Option(
        help: ArgumentHelp("A key that is accepted, as api-key or bearer token. (default: mock-key)", valueName: "key")
    )
    var apiKey: [String] = []

    @Option(
        help: ArgumentHelp(
            "A deployment that exists; '*' takes any name. (default: \(Self.defaultDeployments.joined(separator: ", ")))",
            valueName: "name"
        )
    )
    var deployment: [String] = []

    @Flag(help: "Say nothing but where it listens.")
    var quiet = false

    private static let defaultDeployments = ["gpt-4o", "gpt-4o-mini", "text-embedding-3-small", "whisper"]

    func validate() throws {
        guard (1...256).contains(self.threads) else { throw ValidationError("--threads is from 1 to 256") }
        _ = try self.address()
    }

    func run() throws {
        // Before any thread starts, so that all of them leave the signals to `sigwait`.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        pthread_sigmask(SIG_BLOCK, &signals, nil)

        let address = try self.address()
        let server = try MockServer.start(
            host: address.host,
            port: address.port,
            threads: self.threads,
            resource: MockResource(
                keys: self.apiKey.isEmpty ? ["mock-key"] : self.apiKey,
                deployments: self.deployment.isEmpty ? Self.defaultDeployments : self.deployment
            )
        )
        Self.say("mock-azure listening on \(address.text):\(server.port)\n", to: STDOUT_FILENO)

        var signal: Int32 = 0
        sigwait(&signals, &signal)
        try server.stop()
        if !self.quiet { Self.say("mock-azure stopped\n", to: STDERR_FILENO) }
    }

    /// Where to listen, and the host's text for an address: an IPv6 address stands in brackets there.
    private func address() throws -> (host: String, text: String, port: Int) {
        guard
            let colon = self.listen.lastIndex(of: ":"),
            let port = UInt16(self.listen[self.listen.index(after: colon)...])
        else {
            throw ValidationError("--listen takes HOST:PORT, not '\(self.listen)'")
        }
        let text = self.listen[..<colon]
        let isBracketed = text.hasPrefix("[") && text.hasSuffix("]")
        return (String(isBracketed ? text.dropFirst().dropLast() : text), String(text), Int(port))
    }

    /// Writes at once, past the buffers of the C library: whoever started us may wait for this line in a pipe.
    private static func say(_ text: String, to descriptor: Int32) {
        _ = text.utf8.withContiguousStorageIfAvailable { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }
}
