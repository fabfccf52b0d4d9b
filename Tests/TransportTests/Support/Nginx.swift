import Foundation

/// A real nginx in a folder of its own: plain, TLS, TLS with HTTP/2, and TLS with a certificate for another host.
final class Nginx: @unchecked Sendable {  // `process` is used by one test at a time
    let plain = LoopbackPort.free()
    let tls = LoopbackPort.free()
    let http2 = LoopbackPort.free()
    let otherHost = LoopbackPort.free()
    let folder: URL
    private let process = Process()

    static func start() async throws -> Nginx {
        let nginx = try Nginx()
        try await nginx.begin()
        return nginx
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
        process.terminate()
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)
    }

    private func begin() async throws {
        try makeCertificates()
        try Data(configuration.utf8).write(to: folder.appending(path: "nginx.conf"))
        process.executableURL = URL(filePath: "/usr/sbin/nginx")
        process.arguments = ["-p", folder.path, "-c", "nginx.conf", "-e", "stderr"]
        process.standardError = FileHandle(forWritingAtPath: "/dev/null")
        try process.run()
        do {
            // The pid file is written when every port is open.
            try await eventually("nginx starts") {
                let started = FileManager.default.fileExists(atPath: folder.appending(path: "nginx.pid").path)
                guard process.isRunning || started else { throw TimedOut(description: "nginx ended at once") }
                return started
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
        location /echo { return 200 "$request_method $request_uri"; }
        location /moved { return 302 /echo/elsewhere; }
        location /zipped { add_header content-encoding gzip always; alias files/; }
        location /slow/ { alias files/; limit_rate 64k; }
        location /uploads/ { alias uploads/; dav_methods PUT; }

        """

    private func makeCertificates() throws {
        try Data(Self.locations.utf8).write(to: folder.appending(path: "locations"))
        try openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout ca.key -out ca.pem"
            + " -subj /CN=sluice-test-ca -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign")
        try certify("server", "IP:127.0.0.1,DNS:localhost")
        try certify("other", "DNS:other.invalid")
    }

    private func certify(_ name: String, _ names: String) throws {
        try Data("subjectAltName=\(names)\n".utf8).write(to: folder.appending(path: "\(name).ext"))
        try openssl("req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout \(name).key -out \(name).csr"
            + " -subj /CN=sluice-test")
        try openssl("x509 -req -in \(name).csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out \(name).pem"
            + " -extfile \(name).ext")
    }

    private func openssl(_ arguments: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = arguments.split(separator: " ").map(String.init)
        process.currentDirectoryURL = folder
        process.standardError = FileHandle(forWritingAtPath: "/dev/null")
        process.standardOutput = FileHandle(forWritingAtPath: "/dev/null")
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw TimedOut(description: "openssl \(arguments) failed") }
    }
}

/// Runs a test with nginx and an engine, and ends both, whatever happens.
func withNginx(loops: Int = 1, _ body: (Nginx, Engine) async throws -> Void) async throws {
    let nginx = try await Nginx.start()
    defer { nginx.stop() }
    try await withEngine(loops: loops) { try await body(nginx, $0) }
}
