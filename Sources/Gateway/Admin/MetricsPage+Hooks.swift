extension MetricsPage {
    /// What hooks did to exchanges; nothing in a build without.
    func hooks(_ page: inout MetricsText) {
        guard let hooks = fleet.hooks else { return }
        page.family("sluice_hook_failures_total", "counter", "Calls of a hook that threw, or did not end in time.")
        for (hook, kind, count) in hooks.counts() {
            page.sample("sluice_hook_failures_total", count, labels: [("hook", hook), ("kind", kind.rawValue)])
        }
        page.family("sluice_hooks_behind", "gauge", "Exchanges that have ended while their hooks have not.")
        page.sample("sluice_hooks_behind", hooks.behind.count)
    }
}
