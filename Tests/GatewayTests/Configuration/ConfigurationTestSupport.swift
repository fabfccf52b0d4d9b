import Testing

@testable import Gateway

/// A configuration with something wrong, and the exact errors that say so.
struct BrokenConfiguration: Sendable, CustomTestStringConvertible {
    let name: String
    /// What is parsed: the text as written, and unless it is whole, the required sections it leaves out.
    let text: String
    /// One error a line, without the file's name.
    let errors: String

    init(_ name: String, _ text: String, isWhole: Bool = false, errors: String) {
        self.name = name
        self.text = isWhole ? text + (text.isEmpty ? "" : "\n") : completedConfiguration(text)
        self.errors = errors
    }

    var testDescription: String { self.name }
}

/// The surroundings of every test: a few variables, and one mounted secret.
let configurationEnvironment = ["KEY": "from-the-environment", "EMPTY": "", "NAME": "hidden-name", "NUMBER": "12"]

func readConfigurationFile(_ path: String) -> Result<String, ConfigurationFileError> {
    switch path {
    case "/run/secrets/key": .success("from-a-file\n")
    case "/etc/sluice/keys/windows": .success("from-a-windows-file\r\n")
    default: .failure(ConfigurationFileError(reason: "No such file or directory"))
    }
}

/// The text, followed by the smallest `clients` and `endpoints` where it has none of its own.
func completedConfiguration(_ text: String) -> String {
    var text = text + "\n"
    if !text.contains("clients:") {
        text += "clients: [{name: a, api_keys: [aaaaaaaa]}]\n"
    }
    if !text.contains("endpoints:"), !text.contains("mock:") {
        text += "endpoints: [{name: e, url: \"https://h\"}]\n"
    }
    return text
}

func parseConfiguration(_ text: String) -> Result<GatewayConfiguration, ConfigurationErrors> {
    ConfigurationLoader.parse(
        text: text,
        file: "sluice.yaml",
        directory: "/etc/sluice",
        environment: configurationEnvironment,
        readFile: readConfigurationFile
    ).map(\.configuration)
}

/// A file of the repository, by its path from the root.
func repositoryFile(_ path: String) -> String {
    let root = String(#filePath.split(separator: "/Tests/GatewayTests/")[0])
    guard case .success(let text) = ConfigurationFile.readText(path: "\(root)/\(path)") else {
        preconditionFailure("the repository has no file \(path)")
    }
    return text
}

/// The errors of a text, one a line, without the file's name; nil when it has none.
func configurationErrors(of text: String) -> String? {
    switch parseConfiguration(text) {
    case .success: nil
    case .failure(let errors): errors.errors.map { "\($0.line):\($0.column): \($0.message)" }.joined(separator: "\n")
    }
}
