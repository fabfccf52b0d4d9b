@testable import Gateway

/// A PowerProxy configuration, made of sections in flow style.
struct PowerProxyFile {
    var clients = "[{name: a, key: 12345678}]"
    var plugins: String?
    var endpoints = "[{name: a, url: https://a/, key: 12345678}]"
    /// The aoai section, in place of one with `endpoints`.
    var azure: String?
    var more = ""

    var text: String {
        let plugins = self.plugins.map { "plugins: \($0)\n" } ?? ""
        return
            "clients: \(self.clients)\n\(plugins)aoai:\n  \(self.azure ?? "endpoints: \(self.endpoints)")\n\(self.more)\n"
    }

    func load() -> Result<LoadedConfiguration, ConfigurationErrors> {
        loadPowerProxy(self.text)
    }
}

func loadPowerProxy(_ text: String) -> Result<LoadedConfiguration, ConfigurationErrors> {
    ConfigurationLoader.parse(
        text: text,
        file: "powerproxy.yaml",
        directory: "/etc/sluice",
        environment: configurationEnvironment,
        readFile: readConfigurationFile
    )
}
