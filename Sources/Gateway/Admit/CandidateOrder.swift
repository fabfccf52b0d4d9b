internal import Coordination
internal import Glibc

/// In which order one request tries the deployments of its model. Pure: chance and time come as arguments.
///
/// Tiers from low to high. Inside a tier each deployment comes first as often as its weight says. What is known to cool comes
/// last, whatever its tier, soonest first; the choice that binds is the coordinator's.
struct CandidateOrder {
    /// What decides which deployments a request may use.
    struct Request {
        /// Of the client: 0 the highest ... 9 the lowest.
        var priority: Int
        var isStream: Bool
        /// Where requests that begin alike are to prefer the same deployment.
        var prefix: PromptPrefix?
    }

    /// - Parameter coolUntil: when a deployment is free again as far as this loop knows, in milliseconds; 0 for never cooled.
    ///   `nil` where none cools.
    /// - Returns: indices of the route's deployments; empty if the request may use none.
    static func indices(
        _ route: ModelRoute,
        _ request: Request,
        now: Int64,
        coolUntil: ((DeploymentID) -> Int64)?,
        random: inout some RandomNumberGenerator
    ) -> [Int] {
        withUnsafeTemporaryAllocation(of: Place.self, capacity: route.deployments.count) { places in
            var count = 0
            for index in route.deployments.indices {
                guard let place = place(of: index, route, request, now: now, coolUntil, &random) else { continue }
                // Sixteen at most: nothing is quicker than to put each where it belongs.
                var at = count
                while at > 0, place < places[at - 1] {
                    places[at] = places[at - 1]
                    at -= 1
                }
                places[at] = place
                count += 1
            }
            return places[..<count].map(\.index)
        }
    }

    /// What a deployment's place in the order follows from, and which one it is.
    private struct Place: Comparable {
        let index: Int
        let cool: Int64
        let tier: Int
        let draw: Double

        static func < (one: Place, other: Place) -> Bool {
            if one.cool != other.cool { return one.cool < other.cool }
            if one.tier != other.tier { return one.tier < other.tier }
            return one.draw < other.draw
        }
    }

    /// `nil` for a deployment that the request may not use.
    private static func place(
        of index: Int,
        _ route: ModelRoute,
        _ request: Request,
        now: Int64,
        _ coolUntil: ((DeploymentID) -> Int64)?,
        _ random: inout some RandomNumberGenerator
    ) -> Place? {
        let deployment = route.deployments[index]
        guard request.priority <= deployment.openToPriority else { return nil }
        if !request.isStream, deployment.nonStreamingFraction < 1,
            Double.random(in: 0..<1, using: &random) >= deployment.nonStreamingFraction
        {
            return nil
        }
        let cool = coolUntil?(route.candidates[index].id) ?? 0
        // Smallest of exponential draws with rates in the ratio of the weights: comes first as often as its weight says
        // (Efraimidis and Spirakis, "Weighted random sampling with a reservoir", 2006).
        // With a prefix the draw is no chance: the same one comes first for it (rendezvous hashing, with weights).
        let draw =
            -log(
                request.prefix?.draw(route.candidates[index].id)
                    ?? Double.random(in: Double.leastNormalMagnitude..<1, using: &random)
            )
        return Place(
            index: index,
            cool: cool > now ? cool : 0,
            tier: deployment.tier,
            draw: draw / Double(deployment.weight)
        )
    }
}

/// When deployments are free again, as far as one event loop has heard: a hint that spares the coordinator useless looks.
struct KnownCooldowns {
    private var until: [DeploymentID: (end: Int64, heard: Int64)] = [:]
    /// When the last of them ends.
    private var end: Int64 = 0
    /// Deployments that are remembered; more come only from models that the configuration does not list.
    private static let most = 1024
    /// Milliseconds that a hint is believed: a deployment that came back sooner is seen after that.
    static let belief: Int64 = 1000

    /// What one request met, which never shortens what the coordinator said.
    mutating func noteFailure(_ deployment: DeploymentID, cooldown: Int64, now: Int64) {
        if now + cooldown > until[deployment]?.end ?? 0 { note(deployment, cooldown: cooldown, now: now) }
    }

    /// - Parameter cooldown: milliseconds from now; 0 forgets.
    mutating func note(_ deployment: DeploymentID, cooldown: Int64, now: Int64) {
        guard cooldown > 0 else {
            if !until.isEmpty { until[deployment] = nil }
            return
        }
        if until.count >= Self.most { until.removeAll() }
        until[deployment] = (now + cooldown, now)
        end = max(end, now + cooldown)
    }

    /// Nothing cools; what has cooled is forgotten.
    mutating func areOver(now: Int64) -> Bool {
        if until.isEmpty { return true }
        guard end <= now else { return false }
        until.removeAll()
        return true
    }

    /// Milliseconds that are left, of those that still cool.
    func left(now: Int64) -> [DeploymentID: Int64] { until.mapValues { $0.end - now }.filter { $0.value > 0 } }

    /// Until when it is to come last.
    func until(_ deployment: DeploymentID) -> Int64 {
        guard !until.isEmpty, let known = until[deployment] else { return 0 }
        return min(known.end, known.heard + Self.belief)
    }
}
