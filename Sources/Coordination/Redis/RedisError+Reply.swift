extension RedisError {
    /// What an error reply means.
    ///
    /// Its first word decides. An error that a command met inside a script comes from Redis 6 and earlier as
    /// `ERR Error running script (call to f_<sha>): @user_script:<n>: ... -READONLY You can't ...`, so there the words of the
    /// text are searched as well; from Redis 7 it comes with its own first word and `script: <sha>` at the end.
    ///
    /// Of MOVED and ASK, redirections of a Redis cluster, only the meaning is known so far: they are not followed.
    package init(reply: [UInt8]) {
        let text = String(decoding: reply, as: UTF8.self)
        let words = text.split(separator: " ", maxSplits: 1)
        let first = words.first.map(String.init) ?? ""
        let isFromScript = text.contains("@user_script") || text.contains("Error running script")
        let code: Code
        if let known = Self.codes[first] {
            code = known
        } else if text.hasPrefix("ERR max number of clients") {
            code = .tooManyClients
        } else if text.hasPrefix("ERR invalid password") || text.hasPrefix("ERR Client sent AUTH, but no password") {
            // Redis 5 has no word for either.
            code = .wrongPassword
        } else if isFromScript, let known = Self.codeInside(text) {
            code = known
        } else {
            code = .other
        }
        self.init(code, mayHaveRun: Self.mayHaveRun(code, isFromScript: isFromScript), cause: Self.explain(code, text))
    }

    private static let codes: [String: Code] = [
        "READONLY": .readOnly, "MASTERDOWN": .masterDown, "LOADING": .loading, "BUSY": .busy,
        "CLUSTERDOWN": .clusterDown, "NOREPLICAS": .noReplicas, "MISCONF": .notPersisting, "TRYAGAIN": .tryAgain,
        "MOVED": .moved, "ASK": .ask, "CROSSSLOT": .crossSlot, "NOSCRIPT": .noScript, "OOM": .outOfMemory,
        "NOAUTH": .noAuthentication, "WRONGPASS": .wrongPassword, "NOPERM": .noPermission, "DENIED": .denied,
    ]

    /// The first known word in the text, with or without the minus sign of an error that was passed on.
    private static func codeInside(_ text: String) -> Code? {
        for word in text.split(separator: " ") {
            if let known = codes[String(word.hasPrefix("-") ? word.dropFirst() : word)] { return known }
        }
        return nil
    }

    /// Redis refuses with the known words before anything is written; our scripts are made so that the first write meets
    /// them. A script that fails otherwise keeps what it has written.
    private static func mayHaveRun(_ code: Code, isFromScript: Bool) -> Bool {
        switch code {
        case .other: isFromScript
        case .noPermission, .crossSlot: isFromScript
        case .readOnly, .masterDown, .loading, .busy, .clusterDown, .noReplicas, .notPersisting, .tryAgain, .moved,
            .ask,
            .noScript, .outOfMemory, .noAuthentication, .wrongPassword, .denied, .tooManyClients:
            false
        case .timedOut, .notConnected, .connectFailed, .connectTimeout, .tls, .certificate, .connectionLost, .stalled,
            .backlog, .breakerOpen, .shutDown, .protocolViolation:
            true
        }
    }

    private static func explain(_ code: Code, _ text: String) -> String {
        switch code {
        case .moved, .ask:
            "the server is a node of a Redis cluster, whose redirections are not followed yet: \(text)"
        case .timedOut, .notConnected, .connectFailed, .connectTimeout, .tls, .certificate, .connectionLost, .stalled,
            .backlog, .breakerOpen, .shutDown, .protocolViolation, .readOnly, .masterDown, .loading, .busy,
            .clusterDown, .noReplicas, .notPersisting, .tryAgain, .crossSlot, .noScript, .outOfMemory,
            .noAuthentication, .wrongPassword, .noPermission, .denied, .tooManyClients, .other:
            text
        }
    }
}
