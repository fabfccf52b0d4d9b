import ArgumentParser
import Testing

@testable import MockAzure

@Suite("The command line")
struct CommandTests {
    @Test(
        "is refused with a sentence that says what is wrong",
        arguments: [
            (["--deployment", "a,tpm=x"], "tpm is an integer from 0 to 1000000000, not 'x'"),
            (["--deployment", "a,spill=b"], "a deployment has no 'spill'; there are kind, tpm"),
            (["--deployment", "a", "--deployment", "a"], "the deployment 'a' is there twice"),
            (["--deployment", "a,provisioned=1,spillover=b"], "there is no deployment 'b' to spill over to"),
            (["--tls-certificate", "a.crt"], "--tls-certificate and --tls-key go together"),
            (["--threads", "0"], "--threads is from 1 to 256"),
            (["--listen", "8081"], "--listen takes HOST:PORT, not '8081'"),
        ]
    )
    func refusals(arguments: [String], reason: String) {
        #expect {
            _ = try MockAzureCommand.parse(arguments)
        } throws: { error in
            MockAzureCommand.message(for: error).contains(reason)
        }
    }

    @Test("takes deployments with limits, and TLS")
    func accepted() throws {
        let command = try MockAzureCommand.parse([
            "--deployment", "gpt-4o,tpm=100000,rpm=600", "--deployment", "ptu,provisioned=50000,spillover=gpt-4o",
            "--tls-certificate", "a.crt", "--tls-key", "a.key",
        ])
        #expect(command.deployment.map(\.name) == ["gpt-4o", "ptu"])
        #expect(command.deployment[1].limits.provisioned == 50_000)
    }

    @Test("is explained with every key there is")
    func help() {
        let text = MockAzureCommand.helpMessage(columns: 10_000)
        for key in LimitSettings.Key.allCases { #expect(text.contains("\(key.rawValue)=")) }
        for fault in ErrorFault.allCases { #expect(text.contains(fault.rawValue)) }
        for key in Faults.Key.allCases { #expect(text.contains(key.rawValue)) }
    }
}
