import Testing

@testable import Gateway

@Suite("A broken configuration")
struct BrokenConfigurationTests {
    private static let all =
        BrokenConfiguration.document + BrokenConfiguration.keys + BrokenConfiguration.addresses
        + BrokenConfiguration.numbers + BrokenConfiguration.log + BrokenConfiguration.clients
        + BrokenConfiguration.endpoints + BrokenConfiguration.models + BrokenConfiguration.limits
        + BrokenConfiguration.coordination + BrokenConfiguration.entra + BrokenConfiguration.usage

    @Test("names every mistake with its place, in the order of the file", arguments: all)
    func namesEveryMistake(broken: BrokenConfiguration) {
        #expect(configurationErrors(of: broken.text) == broken.errors)
    }

    @Test("prints errors as file, line, column and sentence, one a line")
    func printsErrorsAsLines() throws {
        let text = completedConfiguration("lisen: 0.0.0.0:1\nlog: {level: loud, access: 1}")
        guard case .failure(let errors) = parseConfiguration(text) else {
            Issue.record("the configuration is accepted")
            return
        }
        #expect(
            errors.description == """
                sluice.yaml:1:1: unknown key 'lisen'; did you mean 'listen'?
                sluice.yaml:2:14: 'level' must be one of trace, debug, info, notice, warning, error, critical; \
                found 'loud'
                sluice.yaml:2:28: 'access' must be true or false; found '1'
                """
        )
    }

    @Test("never shows a key, a password or what was substituted", arguments: all)
    func neverShowsSecrets(broken: BrokenConfiguration) {
        let shown = configurationErrors(of: broken.text) ?? ""
        let written = ["topsec", "top sec", "aaaaaaaa", "bbbbbbbb", "cccccccc", "schlüssel", "86d08188"]
        let substituted = ["from-the-environment", "from-a-file", "hidden-name", "'12'", "12000"]
        for secret in written + substituted {
            #expect(!shown.contains(secret))
        }
    }
}
