/// Who was not let in, and whether the gateway has what it needs to tell and to call.
extension MetricsPage {
    func access(_ page: inout MetricsText) {
        page.family("sluice_refused_callers_total", "counter", "Requests whose caller was not let in, by reason.")
        for (reason, count) in totals.refusals.sorted(by: { $0.key < $1.key }) {
            page.sample("sluice_refused_callers_total", count, labels: [("reason", reason)])
        }
        page.family("sluice_signing_keys", "gauge", "Signing keys of a tenant that count, by version of its tokens.")
        for keys in seen.access.keys {
            page.sample("sluice_signing_keys", keys.count, labels: Self.labels(keys))
        }
        page.family("sluice_signing_keys_failing", "gauge", "1 while a tenant's signing keys cannot be fetched.")
        for keys in seen.access.keys {
            page.sample("sluice_signing_keys_failing", keys.isFailing ? 1 : 0, labels: Self.labels(keys))
        }
        page.family("sluice_upstream_token", "gauge", "1 while the gateway has a token for an endpoint that needs one.")
        for (index, hasToken) in seen.access.tokens.enumerated() {
            guard let hasToken else { continue }
            let labels = [("endpoint", fleet.snapshot.endpoints[index].name)]
            page.sample("sluice_upstream_token", hasToken ? 1 : 0, labels: labels)
        }
    }

    private static func labels(_ keys: Access.Report.Keys) -> [(String, String)] {
        [("tenant", "\(keys.tenant)"), ("version", "\(keys.version)")]
    }
}
