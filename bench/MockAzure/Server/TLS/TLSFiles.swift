import NIOSSL

/// The certificate a server shows, and the protocols it speaks over TLS.
struct TLSFiles {
    /// Paths of PEM files; the certificate's may hold the chain above it.
    let certificate: String
    let key: String

    func context() throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMFile(self.certificate)
        guard !chain.isEmpty else { throw BadRequest("there is no certificate in \(self.certificate)") }
        let key = try NIOSSLPrivateKey(file: self.key, format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(key)
        )
        configuration.applicationProtocols = ["h2", "http/1.1"]
        return try NIOSSLContext(configuration: configuration)
    }
}
