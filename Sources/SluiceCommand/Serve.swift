internal import ArgumentParser
internal import Foundation
internal import Gateway
internal import Logging
internal import ServiceLifecycle
internal import UnixSignals

/// `sluice serve`: runs the gateway until SIGTERM or SIGINT.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the gateway.",
        discussion: """
            Example: sluice serve --config sluice.yaml

            SIGTERM or SIGINT drains: not ready at once, still serving for server.drain.lame_duck, then at most
            server.drain.grace for what runs; exit status 0. A second signal ends the process at once, exit status 130.

            SIGHUP reads the configuration again, and so does a change of the file or of a secret that it names
            (${file:PATH}), within two seconds. Running requests end as they began; a file with errors changes nothing.
            The log says which parts need a restart: addresses, coordination, usage, tracing, log, server.threads.
            """
    )

    @Option(help: "The configuration file; without it the variable \(ConfigurationSource.variable) is read.")
    var config: String?

    @Option(help: "Where clients connect, host:port, instead of the file's 'listen'.")
    var listen: String?

    @Option(help: "Where health, metrics and status are, host:port, instead of the file's 'admin'.")
    var admin: String?

    @Option(
        help: "Write the addresses that are listened on to this file: lines 'data HOST:PORT' and 'admin HOST:PORT'."
    )
    var portFile: String?

    func run() async throws {
        let configuration = try effectiveConfiguration()
        let logWriter = LogWriter(descriptor: STDOUT_FILENO)
        let log = configuration.log
        LoggingSystem.bootstrap { label in LineLogHandler(label: label, log: log, writer: logWriter) }
        signal(SIGPIPE, SIG_IGN)

        let portFile = self.portFile
        let server = GatewayServer(
            configuration: configuration,
            reading: try reading(),
            version: Version.text,
            environment: ProcessInfo.processInfo.environment,
            hooks: Hooks.registered,
            logger: Logger(label: "sluice"),
            logWriter: logWriter
        ) { addresses in
            guard let portFile else { return }
            let text = "data \(addresses.data)\nadmin \(addresses.admin)\n"
            do {
                try text.write(toFile: portFile, atomically: true, encoding: .utf8)
            } catch {
                Logger(label: "sluice").error("port file not written", metadata: ["cause": "\(error)"])
            }
        }
        let group = ServiceGroup(
            configuration: .init(services: [.init(service: server)], logger: Logger(label: "lifecycle"))
        )
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        do {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    var isFirst = true
                    for await signal in signals {
                        if signal == .sighup {
                            server.reload()
                            continue
                        }
                        if !isFirst { _exit(130) }
                        isFirst = false
                        await group.triggerGracefulShutdown()
                    }
                }
                tasks.addTask { try await group.run() }
                try await tasks.next()
                tasks.cancelAll()
            }
        } catch let error as StartError {
            FileHandle.standardError.write(Data("sluice: \(error)\n".utf8))
            throw ExitCode(1)
        }
    }

    private func effectiveConfiguration() throws -> GatewayConfiguration {
        var configuration = try ConfigurationSource(config).loadOrExit()
        try adjustment()(&configuration)
        return configuration
    }

    private func reading() throws -> ConfigurationReading {
        ConfigurationSource(config).reading(adjust: try adjustment())
    }

    /// What the command line says in place of the file.
    private func adjustment() throws -> @Sendable (inout GatewayConfiguration) -> Void {
        let listen = try listen.map { try Self.address($0, "--listen") }
        let admin = try admin.map { try Self.address($0, "--admin") }
        return { configuration in
            if let listen { configuration.listen = listen }
            if let admin { configuration.admin = admin }
        }
    }

    private static func address(_ text: String, _ option: String) throws -> ListenAddress {
        guard let address = ListenAddress(text) else {
            throw ValidationError("\(option) takes host:port, for example 127.0.0.1:8080 or [::1]:8080")
        }
        return address
    }
}
