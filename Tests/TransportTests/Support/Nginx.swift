import Foundation
import TestSupport

/// A real nginx in a folder of its own: plain, TLS, TLS with HTTP/2, and TLS with a certificate for another host.
final class Nginx: @unchecked Sendable {  // `process` is used by one test at a time
    let plain = LoopbackPort.free()
    let tls = LoopbackPort.free()
    let http2 = LoopbackPort.free()
    let otherHost = LoopbackPort.free()
    let folder: URL
    private var process: ChildProcess?

    static func start() async throws -> Nginx {
        // Its ports were free a moment ago; another program may have been faster.
        for _ in 0..<4 {
            let nginx = try Nginx()
            do {
                try await nginx.begin()
                return nginx
            } catch is EndedAtOnce {
                continue
            }
        }
        throw EndedAtOnce()
    }

    private init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "sluice-nginx-\(UUID().uuidString)")
        for name in ["files", "temp", "uploads"] {
            try FileManager.default.createDirectory(at: folder.appending(path: name), withIntermediateDirectories: true)
        }
    }

    var caFile: String { folder.appending(path: "ca.pem").path }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        try Data(bytes).write(to: folder.appending(path: "files/\(name)"))
    }

    func uploaded(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appending(path: "uploads/\(name)")))
    }

    func stop() {
        process?.kill()
        try? FileManager.default.removeItem(at: folder)
    }

    private func begin() async throws {
        do {
            try await makeCertificates()
            try Data(configuration.utf8).write(to: folder.appending(path: "nginx.conf"))
            let process = try ChildProcess(
                "/usr/sbin/nginx",
                ["-p", folder.path, "-c", "nginx.conf", "-e", "stderr"],
                in: folder
            )
            self.process = process
            // The pid file is written when every port is open.
            try await eventually("nginx starts") {
                guard process.exitStatus == nil else { throw EndedAtOnce() }
                return FileManager.default.fileExists(atPath: folder.appending(path: "nginx.pid").path)
            }
        } catch {
            stop()
            throw error
        }
    }

    private var configuration: String {
        """
        daemon off;
        master_process off;
        pid nginx.pid;
        error_log error.log;
        events { worker_connections 2048; }
        http {
            access_log off;
            client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp; uwsgi_temp_path temp;
            scgi_temp_path temp;
            client_max_body_size 64m;
            keepalive_requests 100000;
            keepalive_timeout 30s;
            default_type application/octet-stream;
            root files;
            ssl_certificate server.pem;
            ssl_certificate_key server.key;
            ssl_protocols TLSv1.2 TLSv1.3;
            server { listen 127.0.0.1:\(plain) backlog=1024; include locations; }
            server { listen 127.0.0.1:\(tls) ssl backlog=1024; include locations; }
            server { listen 127.0.0.1:\(http2) ssl http2 backlog=1024; include locations; }
            server {
                listen 127.0.0.1:\(otherHost) ssl;
                ssl_certificate other.pem;
                ssl_certificate_key other.key;
                include locations;
            }
        }
        """
    }

    private static let locations = """
        location = /connection { return 200 "$connection"; }
        location = /protocol { return 200 "$server_protocol"; }
        location = /resumed { keepalive_timeout 0; return 200 "$ssl_session_reused"; }
        location /echo { return 200 "$request_method $request_uri"; }
        location /moved { return 302 /echo/elsewhere; }
        location /zipped { add_header content-encoding gzip always; alias files/; }
        location /slow/ { alias files/; limit_rate 64k; }
        location /uploads/ { alias uploads/; dav_methods PUT; }

        """

    private func makeCertificates() async throws {
        try Data(Self.locations.utf8).write(to: folder.appending(path: "locations"))
        let certificates = try await Certificates(in: folder)
        try await certificates.issue("server", hosts: "IP:127.0.0.1,DNS:localhost")
        try await certificates.issue("other", hosts: "DNS:other.invalid")
    }
}

private struct EndedAtOnce: Error {}

/// Runs a test with nginx and an engine, and ends both, whatever happens.
func withNginx(loops: Int = 1, _ body: (Nginx, Engine) async throws -> Void) async throws {
    let nginx = try await Nginx.start()
    defer { nginx.stop() }
    try await withEngine(loops: loops) { try await body(nginx, $0) }
}
