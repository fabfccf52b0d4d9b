internal import Foundation
internal import TestSupport
internal import Testing

extension Integration {
    /// Of all commands, as the program itself lists them: none can be forgotten.
    @Suite("Every command")
    struct CommandTreeTests {
        private let folder: TemporaryFolder

        init() throws { folder = try TemporaryFolder() }

        private func run(
            _ arguments: [String],
            program: String = Build.executable("sluice")
        ) throws -> (
            status: ChildProcess.ExitStatus, printed: String
        ) {
            let output = folder.url.appendingPathComponent(UUID().uuidString)
            let process = try ChildProcess(program, arguments, output: output)
            return (try process.awaitExit(), process.printed)
        }

        /// What ArgumentParser tells tools of a program.
        private struct Tree: Decodable {
            struct Command: Decodable {
                let commandName: String
                let subcommands: [Command]?
            }
            let command: Command
        }

        /// The words of each command that has none below it.
        private func commands() throws -> [[String]] {
            let dump = try run(["--experimental-dump-help"])
            #expect(dump.status == .exited(0))
            let tree = try JSONDecoder().decode(Tree.self, from: Data(dump.printed.utf8))
            func leaves(_ command: Tree.Command, _ path: [String]) -> [[String]] {
                let inner = (command.subcommands ?? []).filter { $0.commandName != "help" }
                return inner.isEmpty ? [path] : inner.flatMap { leaves($0, path + [$0.commandName]) }
            }
            let found = leaves(tree.command, [])
            try #require(
                found.count >= 15 && found.contains(["usage"]) && found.contains(["config", "check"]),
                "\(found)"
            )
            return found
        }

        @Test("has a help with an example, and works without a terminal")
        func help() throws {
            for command in try commands() {
                let help = try run(command + ["--help"])
                #expect(help.status == .exited(0), "\(command)")
                // `limits` alone is `limits show`.
                let words = command == ["limits", "show"] ? "limits" : command.joined(separator: " ")
                #expect(help.printed.contains("Example: sluice \(words)"), "\(command): \(help.printed)")
                // Nothing to work on: it says so and ends, and asks nobody.
                let nobody = ["serve": ["--config", "/nonexistent"], "health": ["--admin", "127.0.0.1:1"]]
                let bare = try run(command + (nobody[command[0]] ?? []))
                #expect(!bare.printed.isEmpty, "\(command)")
                for printed in [help.printed, bare.printed] { #expect(!printed.contains("\u{1B}"), "\(command)") }
            }
        }

        @Test("has its page in docs/manual.md, as the program says it, and its line in docs/commands.md")
        func manual() throws {
            let docs = Build.checkout.appendingPathComponent("docs")
            let made = try run(
                [docs.appendingPathComponent("make-manual.py").path, Build.executable("sluice")],
                program: "/usr/bin/python3"
            )
            #expect(made.status == .exited(0))
            let manual = try String(contentsOf: docs.appendingPathComponent("manual.md"), encoding: .utf8)
            #expect(manual == made.printed, "docs/manual.md is not what `make manual` makes")
            let page = try String(contentsOf: docs.appendingPathComponent("commands.md"), encoding: .utf8)
            for command in try commands() {
                #expect(manual.contains("\n## sluice \(command.joined(separator: " "))\n"), "\(command)")
                let words = command.filter { $0 != "show" }.joined(separator: " ")
                let isNamed =
                    command.first == "config" ? page.contains(" \(command[1])") : page.contains("    sluice \(words) ")
                #expect(isNamed, "\(command) is not in docs/commands.md")
            }
        }
    }
}
