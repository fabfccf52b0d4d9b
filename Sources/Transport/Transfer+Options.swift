internal import CCurl
internal import NIOCore

/// A transfer in libcurl's terms: the options that it sets, and the functions that libcurl calls.
extension Transfer {
    /// What never changes between two requests to the same origin.
    func setConstantOptions() {
        let configuration = origin.configuration
        ccurl_set_private(easy, Unmanaged.passUnretained(self).toOpaque())
        ccurl_set_write_callback(easy, receiveBody, Unmanaged.passUnretained(self).toOpaque())
        ccurl_set_header_callback(easy, receiveHeaderLine, Unmanaged.passUnretained(self).toOpaque())
        ccurl_set_read_callback(easy, supplyBody, Unmanaged.passUnretained(self).toOpaque())
        ccurl_set_before_request_callback(easy, beforeRequest, Unmanaged.passUnretained(self).toOpaque())
        origin.loop.hearOfClosing(easy)
        let code = ccurl_set_url(easy, url.handle)
        precondition(code == CURLE_OK, "libcurl refused a URL")
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        set(CURLOPT_NOSIGNAL, 1)
        // Else libcurl joins the thread of a name resolution that was given up, and the loop stands still until it returns.
        set(CURLOPT_QUICK_EXIT, 1)
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_HTTP_CONTENT_DECODING, 0)
        set(CURLOPT_PATH_AS_IS, 1)
        set(CURLOPT_BUFFERSIZE, receiveBuffer)
        set(CURLOPT_TCP_NODELAY, 1)
        set(CURLOPT_TCP_KEEPALIVE, 1)
        set(CURLOPT_TCP_KEEPIDLE, 60)
        set(CURLOPT_TCP_KEEPINTVL, 15)
        set(CURLOPT_HTTP_VERSION, Int(configuration.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1))
        let connect = configuration.timeouts.connect.nanoseconds / 1_000_000
        set(CURLOPT_CONNECTTIMEOUT_MS, Int(min(max(1, connect), Int64(Int32.max))))  // 0 would be libcurl's own 300 s
        set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        set(CURLOPT_SSL_VERIFYPEER, 1)
        set(CURLOPT_SSL_VERIFYHOST, 2)
        setTrust(configuration)
        // An empty string keeps libcurl from reading http_proxy, https_proxy and no_proxy (CURLOPT_PROXY(3)).
        set(CURLOPT_PROXY, configuration.proxy ?? "")
        set(CURLOPT_NOPROXY, "")
        if configuration.proxy != nil {
            set(CURLOPT_HTTPPROXYTUNNEL, 1)
            set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        }
    }

    /// Which certificates are trusted, in the one way that libcurl can keep: parsed once for all connections of a loop.
    ///
    /// With a folder besides the file, which some builds of libcurl have by default, it reads the file anew for every
    /// connection (lib/vtls/openssl.c, `Curl_ssl_setup_x509_store`): 27 ms for Debian's 140 authorities, and the loop's
    /// streams wait for it.
    private func setTrust(_ configuration: OriginConfiguration) {
        if let caFile = configuration.caFile {
            set(CURLOPT_CAINFO, caFile)
        } else if ccurl_get_authorities(easy) == nil {
            return  // there is no file by default: the folder is all there is
        }
        let code = ccurl_set_string(easy, CURLOPT_CAPATH, nil)
        precondition(code == CURLE_OK || code == CURLE_NOT_BUILT_IN, "libcurl refused to do without a folder")
        // A TLS library for which libcurl cannot keep them answers so, and reads them each time.
        ccurl_set_long(easy, CURLOPT_CA_CACHE_TIMEOUT, Self.trustLifetime)
    }

    /// Seconds after which a file of trusted certificates is read again.
    private static let trustLifetime = 600

    /// What this request says. Every option that any request sets is set again by each, so nothing is left from the last.
    func setRequestOptions() -> CURLcode? {
        guard let request else { return CURLE_FAILED_INIT }
        set(CURLOPT_REQUEST_TARGET, request.target)
        ccurl_set_list(easy, CURLOPT_HTTPHEADER, request.headers.list)
        var impliedMethod = "POST"
        switch request.body {
        case .none where request.method == "HEAD":
            impliedMethod = "HEAD"
            set(CURLOPT_NOBODY, 1)
        case .none:
            impliedMethod = "GET"
            set(CURLOPT_HTTPGET, 1)
        case .memory(let body):
            set(CURLOPT_POST, 1)
            ccurl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, body.count)
            ccurl_set_post_bytes(easy, body.bytes.baseAddress)
        case .stream(let length):
            set(CURLOPT_POST, 1)
            ccurl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, length ?? -1)
            ccurl_set_post_bytes(easy, nil)
        }
        let code =
            request.method == impliedMethod
            ? ccurl_set_string(easy, CURLOPT_CUSTOMREQUEST, nil)
            : request.method.withCString { ccurl_set_string(easy, CURLOPT_CUSTOMREQUEST, $0) }
        return code == CURLE_OK ? nil : code
    }

    private func set(_ option: CURLoption, _ value: Int) {
        let code = ccurl_set_long(easy, option, value)
        precondition(code == CURLE_OK, "libcurl does not know option \(option.rawValue)")
    }

    private func set(_ option: CURLoption, _ value: String) {
        // Passing the string itself would make Swift copy it into an array first.
        let code = value.withCString { ccurl_set_string(easy, option, $0) }
        precondition(code == CURLE_OK, "libcurl refused option \(option.rawValue)")
    }
}

// MARK: libcurl's callbacks

/// The transfer holds itself while it is with libcurl (`selfInUse`), so no reference needs to be counted for each line.
private func with<Result>(_ object: UnsafeMutableRawPointer?, _ body: (Transfer) -> Result) -> Result {
    Unmanaged<Transfer>.fromOpaque(object!)._withUnsafeGuaranteedRef(body)
}

private let receiveHeaderLine: ccurl_bytes_callback = { bytes, size, count, object in
    let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
    return with(object) { $0.receivedHeaderLine(line) } ? line.count : 0
}

private let receiveBody: ccurl_bytes_callback = { bytes, size, count, object in
    let body = UnsafeRawBufferPointer(start: bytes, count: size * count)
    return switch with(object, { $0.receivedBody(body) }) {
    case .taken: body.count
    case .pause: Int(CURL_WRITEFUNC_PAUSE)
    case .abort: body.count + 1  // any other number ends the transfer, 0 for an empty body would not
    }
}

private let beforeRequest: curl_prereq_callback = { object, _, _, _, _ in
    with(object) { $0.maySend() } ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}

private let supplyBody: ccurl_bytes_callback = { bytes, size, count, object in
    let room = UnsafeMutableRawBufferPointer(start: bytes, count: size * count)
    return switch with(object, { $0.wantsBody(into: room) }) {
    case .bytes(let count): count
    case .pause: Int(CURL_READFUNC_PAUSE)
    case .end: 0
    case nil: Int(CURL_READFUNC_ABORT)
    }
}
