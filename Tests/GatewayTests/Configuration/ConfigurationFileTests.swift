import Glibc
import Testing

@testable import Gateway

@Suite("A configuration file")
struct ConfigurationFileTests {
    /// A folder that is gone when the test ends.
    private final class Folder {
        let path: String

        init() throws {
            var template = Array("/tmp/sluice-configuration-XXXXXX".utf8CString)
            self.path = try String(cString: #require(mkdtemp(&template)))
        }

        func write(_ bytes: [UInt8], to name: String) throws -> String {
            let file = try #require(fopen("\(self.path)/\(name)", "w"))
            defer { fclose(file) }
            #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
            return "\(self.path)/\(name)"
        }

        deinit {
            for name in ["sluice.yaml", "key"] {
                unlink("\(self.path)/\(name)")
            }
            rmdir(self.path)
        }
    }

    private func errors(ofLoading path: String) -> String? {
        switch ConfigurationLoader.load(path: path, environment: [:]) {
        case .success: nil
        case .failure(let errors): errors.description
        }
    }

    @Test("is read with the secrets beside it")
    func isRead() throws {
        let folder = try Folder()
        _ = try folder.write(Array("from-a-file\n".utf8), to: "key")
        let text = completedConfiguration(
            "clients: [{name: a, api_keys: [\"${file:key}\"]}]\ntls: {certificate: a, key: b}"
        )
        let path = try folder.write(Array(text.utf8), to: "sluice.yaml")

        let configuration = try ConfigurationLoader.load(path: path, environment: [:]).get().configuration
        #expect(configuration.clients.first?.apiKeys == [.plain(Secret("from-a-file"))])
        #expect(configuration.tls?.key == "\(folder.path)/b")
    }

    @Test("that is not there, or is a folder, is an error with its name")
    func isNotThere() throws {
        let folder = try Folder()
        let missing = "\(folder.path)/sluice.yaml"
        #expect(
            self.errors(ofLoading: missing) == "\(missing):1:1: this file cannot be read: No such file or directory"
        )
        #expect(
            self.errors(ofLoading: folder.path) == "\(folder.path):1:1: this file cannot be read: Is a directory"
        )
        #expect(self.errors(ofLoading: "")?.hasPrefix(":1:1: this file cannot be read: ") == true)
        #expect(self.errors(ofLoading: "a\0b")?.hasSuffix("its path holds a NUL character") == true)
    }

    @Test("that is not UTF-8 is an error where the first wrong byte stands")
    func isNotUTF8() throws {
        let folder = try Folder()
        let path = try folder.write(Array("log: {}\nlisten: é".utf8) + [0xE9, 0x0A], to: "sluice.yaml")
        #expect(
            self.errors(ofLoading: path)
                == "\(path):2:10: this file cannot be read: it is not UTF-8 text; save it as UTF-8"
        )
    }

    @Test("that is too large is not read to its end")
    func isTooLarge() {
        let errors = self.errors(ofLoading: "/dev/zero")
        #expect(errors == "/dev/zero:1:1: this file cannot be read: it is larger than 1 MiB")
    }

    @Test("as the example in the repository loads, with the variables it names")
    func example() throws {
        let root = String(#filePath.split(separator: "/Tests/GatewayTests/")[0])
        let path = "\(root)/config/sluice.example.yaml"
        let environment = ["TEAM_A_KEY": "key-of-team-a", "TEAM_B_KEY": "key-of-team-b", "SWEDEN_KEY": "key-of-sweden"]
        let configuration = try ConfigurationLoader.load(path: path, environment: environment).get().configuration

        #expect(configuration.clients.map(\.name) == ["team-a", "Team B"])
        #expect(configuration.models.map(\.name) == ["gpt-4o", "text-embedding-3-small"])
        #expect(configuration.endpoints.first?.apiKey == Secret("key-of-sweden"))
        #expect(configuration.server == .init())
        #expect(configuration.log == .init())
        #expect(configuration.endpoints.first?.timeouts == .init())
        #expect(configuration.endpoints.first?.connections == .init())

        guard case .failure(let errors) = ConfigurationLoader.load(path: path, environment: [:]) else {
            Issue.record("the example loads without its variables")
            return
        }
        #expect(errors.errors.count == 3)
    }
}
