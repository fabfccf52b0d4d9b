extension TokenAuthenticator {
    /// A token that waits for its key; kept by the one who waits.
    package final class Waiting {
        fileprivate let token: String
        fileprivate let digest: KeyDigest
        fileprivate let caller: CallerAddress
        fileprivate var waits = 0
        fileprivate var ticket: KeyView.Ticket?
        fileprivate var tell: ((Result<TokenIdentity, TokenRefusal>) -> Void)?

        fileprivate init(
            token: String,
            digest: KeyDigest,
            caller: CallerAddress,
            tell: @escaping (Result<TokenIdentity, TokenRefusal>) -> Void
        ) {
            self.token = token
            self.digest = digest
            self.caller = caller
            self.tell = tell
        }
    }

    /// Times that one token waits. The first fetch may have begun before the key was published; the second has not.
    private static let maxWaits = 2

    /// Waits for the key of a token that is `.pending`, and judges it then. `tell` is called later, once, on this event loop,
    /// unless `giveUp` comes before.
    package func wait(
        for wish: KeyWish,
        token: String,
        digest: KeyDigest,
        from caller: CallerAddress,
        now: @escaping () -> Int64,
        tell: @escaping (Result<TokenIdentity, TokenRefusal>) -> Void
    ) -> Result<Waiting, TokenRefusal> {
        let waiting = Waiting(token: token, digest: digest, caller: caller, tell: tell)
        return wait(waiting, for: wish, now: now) ? .success(waiting) : .failure(.tooManyWaiting)
    }

    /// The one who waited has left.
    package func giveUp(_ waiting: Waiting) {
        waiting.tell = nil
        if let ticket = waiting.ticket { keys.cancel(ticket) }
    }

    private func wait(_ waiting: Waiting, for wish: KeyWish, now: @escaping () -> Int64) -> Bool {
        waiting.waits += 1
        waiting.ticket = keys.wait(for: wish, from: waiting.caller) { [unowned self] answer in
            look(waiting, mayWait: answer == .lookAgain && waiting.waits < Self.maxWaits, now: now)
        }
        return waiting.ticket != nil
    }

    private func look(_ waiting: Waiting, mayWait: Bool, now: @escaping () -> Int64) {
        guard let tell = waiting.tell else { return }
        var token = waiting.token
        let outcome = token.withUTF8 {
            authenticate(UnsafeRawBufferPointer($0), digest: waiting.digest, now: now(), mayWait: mayWait)
        }
        switch outcome {
        case .identity(let identity): tell(.success(identity))
        case .refused(let refusal): tell(.failure(refusal))
        case .pending(let wish): if !wait(waiting, for: wish, now: now) { tell(.failure(.tooManyWaiting)) }
        }
    }
}
