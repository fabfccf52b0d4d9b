internal import CCurl

/// A URL that libcurl has parsed, for all requests to one origin: from text it would parse it anew for each.
final class ParsedURL {
    let handle: OpaquePointer

    /// - Parameter text: scheme and authority, which the configuration has checked.
    init(_ text: String) {
        guard let handle = curl_url() else { fatalError("curl_url found no memory") }
        let code = text.withCString { curl_url_set(handle, CURLUPART_URL, $0, 0) }
        precondition(code == CURLUE_OK, "libcurl refused the URL \(text)")
        self.handle = handle
    }

    deinit { curl_url_cleanup(handle) }
}
