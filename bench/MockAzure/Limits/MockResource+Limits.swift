import NIOHTTP1

/// What the model and the limits of a deployment make of an answer.
extension MockResource {
    /// The request header that names a deployment to spill over to (azure.md 5.3).
    private static let spilloverHeader = "x-ms-spillover-deployment"

    /// Admits the request the answer is for, or answers in another way.
    ///
    /// A request is counted once its deployment is known, whatever it is answered with: unsuccessful ones count.
    func admit(_ answer: Answer, to request: IncomingRequest, loop: LoopState, now: Int) -> Answer {
        guard let name = answer.deployment, let deployment = self.deployments[name] else { return answer }
        var answer = answer
        if answer.status == 200, !request.route.kind.works(with: deployment.kind) {
            answer = Answer(.operationNotSupported(request.route.kind, model: name), deployment: name)
        }
        guard deployment.limiter.isActive else { return answer }
        let clock = loop.clock.now
        answer = Self.limit(answer, to: request, by: deployment.limiter, clock: clock)
        if let target = self.spillover(of: deployment, for: request), answer.mayBeSpilledOver {
            return self.spill(answer, from: name, to: target, request: request, loop: loop, now: now)
        }
        return answer
    }

    /// The answer with what the limiter says in its head, or the limiter's refusal.
    private static func limit(_ answer: Answer, to request: IncomingRequest, by limiter: Limiter, clock: Int) -> Answer
    {
        var answer = answer
        switch limiter.admit(request.demand, now: clock) {
        case .admitted(let report, let lease):
            answer.limits = LimitHeaders(report: report)
            answer.lease = lease
            return answer
        case .refused(let refusal, let report):
            let error = AzureError.rateLimited(
                refusal.kind,
                route: request.route,
                apiVersion: request.apiVersion,
                retryAfter: (refusal.retryAfter + 999) / 1_000
            )
            var refused = Answer(error, deployment: answer.deployment)
            refused.limits = LimitHeaders(report: report, retryAfter: refusal.retryAfter)
            refused.refusal = refusal.kind.rawValue
            return refused
        }
    }

    // MARK: Spillover

    /// Where a provisioned deployment's request may go; the deployment's own word goes before the request's.
    private func spillover(of deployment: Deployment, for request: IncomingRequest) -> String? {
        let settings = deployment.limiter.settings
        guard settings.provisioned != nil else { return nil }
        return settings.spillover ?? request.head.headers.first(name: Self.spilloverHeader)
    }

    /// The answer of the other deployment, or the original one if that fails as well.
    private func spill(
        _ original: Answer,
        from name: String,
        to target: String,
        request: IncomingRequest,
        loop: LoopState,
        now: Int
    ) -> Answer {
        let clock = loop.clock.now
        var spilled = request.redirected(to: target)
        var answer: Answer
        do throws(BadRequest) {
            answer = try self.serve(&spilled, loop: loop, now: now)
        } catch {
            answer = Answer(.badRequest(error))
        }
        if answer.status == 200, let limiter = self.deployments[target]?.limiter, limiter.isActive {
            answer = Self.limit(answer, to: spilled, by: limiter, clock: clock)
        }
        if answer.status == 200 {
            // What the first deployment took in, if it did, was not served there.
            original.lease?.settle(actual: 0, now: clock)
            answer.limits = answer.limits ?? LimitHeaders()
            answer.limits?.spilledFrom = name
            return answer
        }
        var failed = original
        failed.limits = failed.limits ?? LimitHeaders()
        failed.limits?.spilloverError = answer.status
        return failed
    }
}

extension Answer {
    /// azure.md 5.3: on 429, on a prompt too long for the model, on 500 and 503.
    fileprivate var mayBeSpilledOver: Bool {
        [429, 500, 503].contains(self.status) || self.isContextTooLong
    }
}
