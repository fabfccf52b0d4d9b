internal import Coordination
internal import NIOCore
internal import Transport

/// Asking whether the request may go on, and where to.
extension Exchange {
    // MARK: admit

    /// Asks for everything the request needs, if hooks have nothing against it and its client may use the model at all.
    func admit(model: String?, payload: Payload, upload: ExchangeStateMachine.Upload) {
        if let hooks { return consult(hooks, model: model, payload: payload, upload: upload) }
        ask(model: model, payload: payload, upload: upload)
    }

    func ask(model: String?, payload: Payload, upload: ExchangeStateMachine.Upload) {
        guard let resourcePath else { return admit(model: model, payload: payload, upload: upload, at: nil) }
        let ids = resourcesNamed(by: resourcePath, payload)
        if ids.isEmpty { return admit(model: model, payload: payload, upload: upload, at: nil) }
        machine.admitting(upload)
        findResources(ids) { [self] found in
            // The client may have left meanwhile, or its body may have come to an end.
            guard machine.isAdmitting else { return }
            switch found {
            case .success(let place): admit(model: model, payload: payload, upload: nil, at: place)
            case .failure(let error): perform(machine.refused(error))
            }
        }
    }

    /// - Parameters:
    ///   - upload: `nil` where the machine knows already that the coordinator is to be asked.
    ///   - place: the only endpoint that may be asked; `nil` for any.
    private func admit(model: String?, payload: Payload, upload: ExchangeStateMachine.Upload?, at place: String?) {
        record.modelName = model
        guard let client else { return }
        guard let route = edition.route(model: model, at: place) else {
            return perform(machine.refused(.modelUnknown(model ?? "")))
        }
        record.model = route.model
        if let model, !client.mayUse(model) {
            let status = snapshot.modelRefusalStatus
            return perform(machine.refused(.modelNotAllowed(model, status: status)))
        }
        if client.scopes.isBlocked(model: model) { return perform(machine.refused(.blocked(model: model))) }
        let prefix = route.prefersPrefix ? body.flatMap { PromptPrefix($0.bytes, client: client.name) } : nil
        var order = worker.order(route, priority: client.priority, isStream: record.isStream, prefix: prefix)
        if let place {
            order.removeAll { snapshot.endpoints[route.deployments[$0].endpoint].name != place }
            guard !order.isEmpty else { return perform(machine.refused(.modelElsewhere(model))) }
        }
        guard !order.isEmpty else { return perform(machine.refused(.noDeployment(model))) }
        if facts == nil { facts = factsOfUnread(payload) }
        let scopes = client.scopes.scopes(model: model)
        estimate = tokenEstimate(route, client: client, scopes: scopes)
        let admission = Admission(
            lease: worker.lease(of: record.id),
            estimate: Int64(estimate?.total ?? 1),
            scopes: scopes,
            candidates: order == route.fixedOrder ? route.candidates : order.map { route.candidates[$0] },
            terms: worker.leaseTerms
        )
        passage = Passage(route: route, order: order, admission: admission, payload: payload)
        if let upload { machine.admitting(upload) }
        if waitsBehindOthers() { return }
        traceAdmission()
        worker.coordinator.admit(admission) { [self] in decided($0, admission) }
        if machine.isAdmitting { askedForAdmission = .now() }
    }

    /// What a form is likely to hold, which is passed on without being read.
    private func factsOfUnread(_ payload: Payload) -> RequestFacts? {
        switch (payload, operation) {
        case (.form, .transcription), (.stream, .transcription):
            var facts = RequestFacts()
            facts.content.audios = 1
            return facts
        case (.form, .images), (.stream, .images):
            return RequestFacts()
        case (.none, _), (.memory, _), (.form, _), (.stream, _):
            return nil
        }
    }

    /// `nil` for a request that costs no tokens as far as can be seen.
    private func tokenEstimate(
        _ route: ModelRoute,
        client: ClientDirectory.Client,
        scopes: [ClientScope]
    ) -> TokenEstimate? {
        guard let facts else { return nil }
        // A limit in the shadow must not make a request reserve less of the others.
        let burst = scopes.reduce(Int64(RequestFacts.mostTokens)) {
            $1.limits.isShadow ? $0 : min($0, $1.limits.tokens?.burst ?? $0)
        }
        return TokenEstimate(
            facts,
            operation: operation,
            correction: worker.corrections.factor(client: client.index, model: route.model ?? -1),
            defaultOutput: Int(route.defaultOutputTokens),
            burst: Int(burst)
        )
    }

    func decided(_ decision: AdmissionDecision, _ admission: Admission) {
        let wait = askedForAdmission.map { NIODeadline.now() - $0 } ?? .zero
        worker.metrics.admission.count(decision, after: wait)
        trace?.admissionDecided(decision, at: .now())
        switch decision {
        case .admitted(let reservation):
            guard machine.admitted() == .forward else {
                let cancellation = Cancellation(admission, authority: reservation.authority)
                return worker.coordinator.cancel(cancellation) { _ in }
            }
            worker.note(reservation.cooldowns, of: admission.candidates)
            passage?.admitted(reservation)
            noteShadow(reservation.shadow, ofClientIn: admission.scopes)
            rateLimits = RateLimitFields(admission.scopes, reservation.levels)
            forward()
        case .refused(let refusal):
            worker.note(refusal.cooldowns, of: admission.candidates)
            rateLimits = RateLimitFields(admission.scopes, refusal.levels)
            if waits(for: refusal) { return }
            refuse(refusal, admission.scopes)
        case .unavailable, .duplicate:
            perform(machine.refused(.limiterUnavailable))
        }
    }

    /// Those that deployments refuse come back spread out; a client's own limit says exactly when.
    private func refuse(_ refusal: Refusal, _ scopes: [ClientScope]) {
        worker.metrics.admission.countRefusal(refusal.reason, client: client?.index)
        var wait = refusal.wait
        if case .deployments = refusal.reason { wait += worker.jitter(of: wait) }
        perform(machine.refused(.refused(refusal, wait: wait, scopes: scopes, model: record.modelName)))
    }

    // MARK: reroute

    /// Tells the coordinator of the failure, and asks for another deployment if the request can be sent again.
    func reroute(_ failure: AttemptFailure) {
        guard let reserved = passage?.reserved, let candidate = passage?.candidate, let admission = passage?.admission
        else {
            return
        }
        let mayGoOn = mayReroute
        passage?.strikeOut(cooldown: failure.failure.cooldown, now: .now())
        passage?.isRerouting = true
        worker.metrics.admission.countFailure(failure.failure, endpoint: record.endpoint ?? 0)
        if let cooldown = failure.failure.cooldown, cooldown > 0 { worker.noteFailure(cooldown, of: candidate) }
        let reroute = Reroute(
            lease: admission.lease,
            estimate: admission.estimate,
            failed: candidate,
            failure: failure.failure,
            candidates: mayGoOn ? passage?.candidatesLeft ?? [] : [],
            terms: admission.terms,
            authority: reserved.authority
        )
        worker.coordinator.reroute(reroute) { [self] in rerouted($0, failure) }
    }

    private func rerouted(_ decision: RerouteDecision, _ failure: AttemptFailure) {
        passage?.isRerouting = false
        worker.metrics.admission.count(decision)
        switch decision {
        case .rerouted(let reservation):
            passage?.rerouted(reservation)
            noteShadow(ofDeployment: reservation.shadow)
            if machine.admitted() == .forward { forward() } else { settle() }
        case .refused(let refusal):
            worker.note(refusal.cooldowns, of: passage?.candidatesLeft ?? [])
            passage?.hasNoDeployment = true
            if waitsInsteadOfStopping(refusal) { return }
            stop(failure, wait: min(refusal.wait, failure.failure.cooldown ?? refusal.wait))
        case .reported(let cooldown):
            stop(failure, wait: cooldown)
        case .leaseLost, .unavailable:
            stop(failure, wait: failure.failure.cooldown)
        }
    }

    /// No other deployment: the client gets what the last one said.
    ///
    /// - Parameter wait: milliseconds until one of them may be free.
    private func stop(_ failure: AttemptFailure, wait: Int64?) {
        // Of several, the one that is free first counts.
        let wait = wait.map { wait in
            guard let passage, passage.choices > 1 else { return wait }
            return passage.wait(wait, now: .now())
        }
        // Of one deployment Azure knows best; of several, the one that is free first counts.
        if held?.head.status == 429, let wait, passage?.choices ?? 0 > 1 {
            held?.retryAfter = wait + worker.jitter(of: wait)
        }
        var error = failure.error
        if error.status == 429 { error.retryAfter = wait.map { $0 + worker.jitter(of: $0) } }
        let action = machine.rerouteRefused(held == nil ? error : nil)
        if action == .giveBack { settle() } else { perform(action) }
    }

    // MARK: settle

    /// Ends the reservation, if there is one: what was estimated becomes what was used.
    func settle() {
        guard let reserved = passage?.reserved, let admission = passage?.admission, passage?.isRerouting == false else {
            return
        }
        defer { passage?.release() }
        let status = answer?.status ?? 0
        let used = tokensUsed(status: status)
        record.usage = used
        record.estimate = estimate?.total ?? 0
        // Behind the settlement, on the same connection: what it gives back is there when the question comes.
        defer { if passage?.mayGiveBack == true { worker.waitingRooms.capacityReturned() } }
        worker.coordinator.settle(
            Settlement(
                lease: admission.lease,
                estimate: admission.estimate,
                actual: Int64(used.total),
                admitted: reserved.admitted,
                scopes: admission.scopes,
                deployment: passage?.hasNoDeployment == true ? nil : passage?.candidate,
                refundsDeployment: passage?.isProvisioned ?? false,
                succeeded: 1..<400 ~= status,
                feedback: 1..<400 ~= status ? feedback(levels: reserved.levels) : .none,
                usage: booking(used, status: status, at: reserved.admitted),
                authority: reserved.authority
            )
        ) { _ in }
    }

    /// What the deployment said about its limits, as far as it is news. The time is that of the head: no clock is read.
    private func feedback(levels: Levels) -> Feedback {
        guard let candidate = passage?.candidate, let now = record.firstByte else { return .none }
        return worker.feedback(deploymentFields, of: candidate, levels: levels, now: now)
    }

    /// As Azure reported it, or estimated from what was seen of the answer.
    private func tokensUsed(status: Int) -> TokenUsage {
        guard let usage else { return TokenUsage() }
        if let reported = usage.reader.usage {
            if let facts, let estimate, facts.content.isTextOnly, let client {
                worker.corrections.learn(
                    client: client.index,
                    model: record.model ?? -1,
                    estimated: estimate.plainPrompt,
                    actual: reported.input
                )
            }
            return reported
        }
        // A refusal costs nothing; neither does what no model works on.
        guard 1..<400 ~= status, let estimate, operation != .other else { return TokenUsage() }
        return usage.reader.settled(promptEstimate: estimate.prompt)
    }

    /// What the books of the client's day get.
    private func booking(_ used: TokenUsage, status: Int, at time: Int64) -> Usage? {
        guard let client, let deployment = passage?.candidate else { return nil }
        var counts = Usage.Counts(
            requests: 1,
            input: Int64(used.input),
            output: Int64(used.output),
            cached: Int64(used.cached),
            throttled: status == 429 ? 1 : 0,
            serverErrors: status >= 500 ? 1 : 0
        )
        counts.reasoning = Int64(used.reasoning)
        counts.inputAudio = Int64(used.inputAudio)
        counts.outputAudio = Int64(used.outputAudio)
        counts.milliseconds = Int64(used.milliseconds)
        if used.isEstimated { counts.estimated = Int64(used.input + used.output) }
        return Usage(
            time: time,
            client: client.scopes.id,
            deployment: deployment.id,
            line: passage?.line,
            counts: counts
        )
    }

    /// No attempt starts later than this after the request came, or began to wait: its client has waited long enough.
    private static let retryTime = TimeAmount.seconds(60)

    /// Whether there is another deployment for the request, time left, and a body that can be sent again.
    var mayReroute: Bool {
        passage?.left.count ?? 0 > 1 && maySendAgain
    }

    /// Whether there is time left, and a body that can be sent again.
    var maySendAgain: Bool { NIODeadline.now() - waitsSince < Self.retryTime && canBeSentAgain }

    /// The request's body is still whole.
    var canBeSentAgain: Bool {
        switch passage?.payload {
        case nil: false
        case .none?, .memory?: true
        case .stream?, .form?: !upload.wasRead
        }
    }
}
