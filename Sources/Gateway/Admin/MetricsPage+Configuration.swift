/// Which configuration is in force, and whether it is what the files say.
extension MetricsPage {
    func configuration(_ page: inout MetricsText) {
        let report = fleet.current.report
        page.family("sluice_configuration_info", "gauge", "1, with the hash of the configuration in force.")
        page.sample("sluice_configuration_info", 1, labels: [("hash", fleet.snapshot.hash)])
        if fleet.coordinating.snapshot() != nil {
            page.family(
                "sluice_fleet_configurations",
                "gauge",
                "Different configurations that live replicas run; 0 before Redis has said so."
            )
            page.sample("sluice_fleet_configurations", report.configurations)
        }
        page.family("sluice_configuration_reloads_total", "counter", "Readings of a changed configuration, by outcome.")
        page.sample("sluice_configuration_reloads_total", report.reloads, labels: [("outcome", "taken_up")])
        page.sample("sluice_configuration_reloads_total", report.failures, labels: [("outcome", "failed")])
        page.family(
            "sluice_configuration_broken",
            "gauge",
            "1 while the files have errors and an older one is in force."
        )
        page.sample("sluice_configuration_broken", report.error == nil ? 0 : 1)
        page.family("sluice_configuration_needs_restart", "gauge", "1 while a change waits for a restart.")
        page.sample("sluice_configuration_needs_restart", report.needsRestart.isEmpty ? 0 : 1)
    }
}
