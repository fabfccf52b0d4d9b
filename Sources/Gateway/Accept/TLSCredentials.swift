internal import Foundation
internal import Logging
internal import NIOConcurrencyHelpers
internal import NIOSSL

/// The data plane's certificate and key, read again when the files change.
///
/// New connections get the new certificate; those that stand keep theirs. Files that cannot be read or do not fit together
/// leave the old pair in force, and the log says so.
final class TLSCredentials: Sendable {
    private struct Current {
        var context: NIOSSLContext
        var version: [FileVersion]
    }

    private struct FileVersion: Equatable {
        var modified: Date
        var size: Int
        var inode: Int
    }

    private let files: GatewayConfiguration.TLSFiles
    private let logger: Logger
    private let current: NIOLockedValueBox<Current>

    /// How often the files are looked at.
    static let interval = Duration.seconds(2)

    init(_ files: GatewayConfiguration.TLSFiles, logger: Logger) throws {
        self.files = files
        self.logger = logger
        let version = try Self.version(of: files)
        current = NIOLockedValueBox(Current(context: try Self.load(files), version: version))
    }

    var context: NIOSSLContext { current.withLockedValue { $0.context } }

    /// Looks at the files until cancelled.
    func run() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.interval)  // thrown on cancellation only, which the loop sees
            reloadIfChanged()
        }
    }

    /// Returns whether a new pair is in force.
    @discardableResult
    func reloadIfChanged() -> Bool {
        do {
            let version = try Self.version(of: files)
            guard version != current.withLockedValue({ $0.version }) else { return false }
            // Noted first, so that a broken pair is reported once and not every time.
            current.withLockedValue { $0.version = version }
            let context = try Self.load(files)
            current.withLockedValue { $0.context = context }
            logger.notice("TLS certificate reloaded", metadata: ["certificate": "\(files.certificate)"])
            return true
        } catch {
            logger.error(
                "TLS certificate could not be reloaded; the old one stays in force",
                metadata: ["certificate": "\(files.certificate)", "cause": "\(error)"]
            )
            return false
        }
    }

    private static func version(of files: GatewayConfiguration.TLSFiles) throws -> [FileVersion] {
        try [files.certificate, files.key].map { path in
            let attributes = try FileManager.default.attributesOfItem(
                atPath: URL(fileURLWithPath: path).resolvingSymlinksInPath().path
            )
            return FileVersion(
                modified: attributes[.modificationDate] as? Date ?? .distantPast,
                size: attributes[.size] as? Int ?? 0,
                inode: attributes[.systemFileNumber] as? Int ?? 0
            )
        }
    }

    private static func load(_ files: GatewayConfiguration.TLSFiles) throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMFile(files.certificate).map { NIOSSLCertificateSource.certificate($0) }
        let key = try NIOSSLPrivateKey(file: files.key, format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain,
            privateKey: .privateKey(key)
        )
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        return try NIOSSLContext(configuration: configuration)
    }
}
