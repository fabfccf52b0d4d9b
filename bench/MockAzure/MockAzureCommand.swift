import ArgumentParser
import Glibc
import NIOSSL

/// `mock-azure`: a stand-in for Azure OpenAI, with faults on demand.
@main
struct MockAzureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mock-azure",
        abstract: "A stand-in for Azure OpenAI, with faults on demand.",
        discussion: """
            Faults come as x-mock-KEY headers, as mock-KEY query parameters, as a "mock" object in a JSON body, or as \
            "user": "mock:KEY=VALUE,KEY=VALUE". Keys: \(Faults.names).

            status=N answers with that status, error=NAME with that body: \
            \(ErrorFault.allCases.map(\.rawValue).joined(separator: ", ")).

            A deployment has no limits unless told so: tpm=N estimated tokens and rpm=N requests per minute, the latter \
            judged over rpm-window=1|10 seconds; or provisioned=N tokens per minute, with spillover=NAME for what is \
            above. effective-tpm=N is what is left of tpm for a while. kind=KIND is what its model does, if the name \
            does not tell: \(ModelKind.allCases.map(\.rawValue).joined(separator: ", ")).

            /mock/stats tells what was served, /mock/reset forgets it. GET /mock/limits tells the limits, POST changes \
            them: {"deployment": NAME, KEY: VALUE, ...}, with null to take one away.
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
            "A deployment that exists, and its limits; '*' takes any name. (default: \(Self.defaultNames))",
            valueName: "name[,key=value...]"
        ),
        transform: Self.specification
    )
    var deployment: [DeploymentSpecification] = []

    @Option(help: ArgumentHelp("PEM file with the certificate to show; HTTPS instead of HTTP.", valueName: "file"))
    var tlsCertificate: String?

    @Option(help: ArgumentHelp("PEM file with the key of that certificate.", valueName: "file"))
    var tlsKey: String?

    @Flag(help: "Say nothing but where it listens.")
    var quiet = false

    private static let defaultNames = "gpt-4o, gpt-4o-mini, text-embedding-3-small, whisper"

    func validate() throws {
        guard (1...256).contains(self.threads) else { throw ValidationError("--threads is from 1 to 256") }
        guard (self.tlsCertificate == nil) == (self.tlsKey == nil) else {
            throw ValidationError("--tls-certificate and --tls-key go together")
        }
        _ = try self.address()
        _ = try self.deployments()
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
                deployments: try self.deployments()
            ),
            tls: try self.tlsContext()
        )
        Self.say("mock-azure listening on \(address.text):\(server.port)\n", to: STDOUT_FILENO)

        var signal: Int32 = 0
        sigwait(&signals, &signal)
        try server.stop()
        if !self.quiet { Self.say("mock-azure stopped\n", to: STDERR_FILENO) }
    }

    private static func specification(_ text: String) throws -> DeploymentSpecification {
        do throws(BadRequest) {
            return try DeploymentSpecification(text)
        } catch {
            throw ValidationError(error.message)
        }
    }

    private func deployments() throws -> DeploymentTable {
        do throws(BadRequest) {
            if !self.deployment.isEmpty { return try DeploymentTable(self.deployment) }
            var defaults: [DeploymentSpecification] = []
            for name in Self.defaultNames.split(separator: ", ") { defaults.append(try .init(String(name))) }
            return try DeploymentTable(defaults)
        } catch {
            throw ValidationError("--deployment: \(error.message)")
        }
    }

    private func tlsContext() throws -> NIOSSLContext? {
        guard let certificate = self.tlsCertificate, let key = self.tlsKey else { return nil }
        do {
            return try TLSFiles(certificate: certificate, key: key).context()
        } catch {
            throw ValidationError("cannot use \(certificate) and \(key): \(error)")
        }
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
