package import Foundation

/// Certificates that openssl makes for a test, all in one folder.
package struct Certificates {
    private let folder: URL

    /// Makes an authority: `ca.pem` and `ca.key`.
    package init(in folder: URL) async throws {
        self.folder = folder
        try await openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout ca.key -out ca.pem"
                + " -subj /CN=sluice-test-ca -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign"
        )
    }

    /// Makes NAME.pem and NAME.key, signed by the authority.
    ///
    /// - Parameter hosts: as openssl writes them, such as `IP:127.0.0.1,DNS:localhost`.
    package func issue(_ name: String, hosts: String) async throws {
        try Data("subjectAltName=\(hosts)\n".utf8).write(to: folder.appending(path: "\(name).ext"))
        try await openssl(
            "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout \(name).key -out \(name).csr"
                + " -subj /CN=sluice-test"
        )
        try await openssl(
            "x509 -req -in \(name).csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out \(name).pem"
                + " -extfile \(name).ext"
        )
    }

    private func openssl(_ arguments: String) async throws {
        try await ChildProcess.run("/usr/bin/openssl " + arguments, in: folder)
    }
}
