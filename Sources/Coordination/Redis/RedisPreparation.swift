internal import NIOCore

/// What every connection says before anything else, all of it in one write: who we are, and the scripts.
struct RedisPreparation {
    enum Step: Equatable {
        case authenticate
        /// Shown by `CLIENT LIST`; not every server knows it, so its answer does not matter.
        case name
        case select
        /// Redis must name the script as we do: anything else would run another text.
        case load(digest: String)
    }

    let steps: [Step]
    let bytes: ByteBuffer

    init(_ configuration: RedisConfiguration, credentials: RedisCredentials?, scripts: [RedisScript]) {
        var steps: [Step] = []
        var bytes = ByteBuffer()
        func add(_ step: Step, _ command: RESPCommand) {
            steps.append(step)
            bytes.writeImmutableBuffer(command.bytes)
        }
        if let credentials { add(.authenticate, credentials.command) }
        add(.name, RESPCommand(["CLIENT", "SETNAME", configuration.clientName]))
        let database = configuration.address.database
        if database != 0 { add(.select, RESPCommand(["SELECT", String(database)])) }
        for script in scripts + [.probe] { add(.load(digest: script.digest), script.load) }
        self.steps = steps
        self.bytes = bytes
    }
}

extension RedisPreparation.Step {
    /// What the answer to this step says against using the connection.
    func objection(to reply: RESPReply) -> RedisError? {
        if case .error(let text) = reply {
            let error = RedisError(reply: text)
            switch self {
            case .authenticate, .select, .load: return error
            // Said to whoever connects, whatever was asked; the connection ends with it.
            case .name: return error.code == .tooManyClients || error.code == .denied ? error : nil
            }
        }
        switch self {
        case .authenticate, .select:
            return reply == .status(Array("OK".utf8)) ? nil : .violation("an answer other than OK")
        case .name:
            return nil
        case .load(let digest):
            return reply == .string(Array(digest.utf8)) ? nil : .violation("a script's digest is not the expected one")
        }
    }
}

extension RedisScript {
    var load: RESPCommand { RESPCommand(["SCRIPT", "LOAD", text]) }
}
