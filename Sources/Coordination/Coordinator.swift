/// What decides about limits, cooldowns and slots.
///
/// Every method is called on the event loop that owns the exchange, and `then` is called on that loop exactly once: before the
/// method returns where the answer is at hand, later where Redis has to be asked. No method throws or blocks; whoever
/// implements it bounds the time to an answer.
package protocol Coordinator {
    func admit(_ admission: Admission, then: @escaping (AdmissionDecision) -> Void)
    func reroute(_ reroute: Reroute, then: @escaping (RerouteDecision) -> Void)
    func settle(_ settlement: Settlement, then: @escaping (SettlementOutcome) -> Void)
    func cancel(_ cancellation: Cancellation, then: @escaping (SettlementOutcome) -> Void)
    /// `then` gets `nil` where nobody could be told.
    func beat(_ beat: Beat, then: @escaping (BeatOutcome?) -> Void)
}
