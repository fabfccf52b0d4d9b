/// Says that this process lives, and renews what it holds.
package struct Beat: Hashable, Sendable {
    /// Names the process among the live ones.
    package let instance: UInt32
    /// How long it counts as alive without another beat, in milliseconds.
    package let term: Int64
    /// At most 256.
    package let leases: [Renewal]
    package let terms: LeaseTerms

    package static let mostLeases = 256

    package init(instance: UInt32, term: Int64 = 60_000, leases: [Renewal], terms: LeaseTerms = .standard) {
        precondition(leases.count <= Self.mostLeases, "a beat renews at most 256 leases")
        self.instance = instance
        self.term = term
        self.leases = leases
        self.terms = terms
    }
}

package struct Renewal: Hashable, Sendable {
    package let lease: LeaseID
    package let scopes: [ClientScope]
    /// Where the exchange is now.
    package let deployment: Candidate
    /// `Reservation.time` of the admission.
    package let admitted: Int64
    /// Bring the lease back if it is gone, as when Redis started empty. Only while no settlement of it was ever sent: a
    /// later attempt would then apply it a second time.
    package let restores: Bool

    package init(lease: LeaseID, scopes: [ClientScope], deployment: Candidate, admitted: Int64, restores: Bool) {
        precondition(scopes.count <= Admission.mostScopes, "a lease has at most two client scopes")
        self.lease = lease
        self.scopes = scopes
        self.deployment = deployment
        self.admitted = admitted
        self.restores = restores
    }
}

package struct BeatOutcome: Hashable, Sendable {
    package let time: Int64
    /// Processes that are alive, with this one.
    package let instances: Int64
    /// Leases that were gone and are back.
    package let restored: Int64
    /// Indices of the leases that were gone and stay so: expired, settled or cancelled.
    package let lost: [Int]

    package init(time: Int64, instances: Int64, restored: Int64, lost: [Int]) {
        self.time = time
        self.instances = instances
        self.restored = restored
        self.lost = lost
    }
}
