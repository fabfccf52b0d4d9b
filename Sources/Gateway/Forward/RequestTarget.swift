/// What a request's target asks for.
///
/// Azure matches paths without regard to case and decodes them first, so the decision is made on decoded segments in lower
/// case: a spelling that only Azure understands cannot slip past a client's allow-list.
struct RequestTarget: Equatable {
    enum Kind: Equatable {
        /// `/openai/deployments/{name}/...`; `rest` is what follows the name in `raw`.
        case deployment(name: String, rest: Int)
        /// Any other path: a JSON body may name its model.
        case other
        /// `/health/front-door`, `/powerproxy/health/liveness`.
        case frontDoorHealth
        case liveness
    }

    /// Path and query as they came, in origin form.
    var raw: String
    /// Offset of "?" in `raw`, or its end.
    var pathEnd: Int
    var kind: Kind

    var path: Substring { Substring(raw.utf8.prefix(pathEnd)) }

    /// Reads a target, or says what is wrong with it (RFC 9112 section 3.2, RFC 3986 section 3.3).
    static func parse(_ target: String) -> Result<Self, GatewayError> {
        guard let raw = originForm(target) else {
            return .failure(.malformed("the request target is neither a path nor an absolute URL"))
        }
        guard raw.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") }) else {
            return .failure(.malformed("the request target has a character that must be percent-encoded"))
        }
        let bytes = raw.utf8
        let end = bytes.firstIndex(of: UInt8(ascii: "?")) ?? bytes.endIndex
        var result = Self(raw: raw, pathEnd: bytes.distance(from: bytes.startIndex, to: end), kind: .other)
        switch result.readPath(bytes[bytes.startIndex..<end]) {
        case .success(let kind): result.kind = kind
        case .failure(let error): return .failure(error)
        }
        return .success(result)
    }

    /// The target for a deployment of that name; `self` is of kind `.deployment`.
    func naming(deployment: String) -> String {
        guard case .deployment(_, let rest) = kind else { return raw }
        var result = "/openai/deployments/"
        result.reserveCapacity(result.utf8.count + deployment.utf8.count + raw.utf8.count - rest)
        for byte in deployment.utf8 {
            if Self.isUnreserved(byte) {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let hex = String(byte, radix: 16, uppercase: true)
                result += byte < 16 ? "%0\(hex)" : "%\(hex)"
            }
        }
        result += Substring(raw.utf8.dropFirst(rest))
        return result
    }

    private static func originForm(_ target: String) -> String? {
        if target.utf8.first == UInt8(ascii: "/") { return target }
        let lower = target.prefix(8).lowercased()
        guard lower.hasPrefix("http://") || lower.hasPrefix("https://") else { return nil }
        let authority = target.utf8.dropFirst(lower.hasPrefix("https://") ? 8 : 7)
        guard let slash = authority.firstIndex(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }) else {
            return "/"
        }
        let rest = String(Substring(authority[slash...]))
        return rest.utf8.first == UInt8(ascii: "?") ? "/" + rest : rest
    }

    private func readPath(_ path: Substring.UTF8View) -> Result<Kind, GatewayError> {
        var segments: [String] = []
        var afterThird: Int?
        var start = path.index(after: path.startIndex)
        while true {
            let end = path[start...].firstIndex(of: UInt8(ascii: "/")) ?? path.endIndex
            guard let segment = Self.decode(path[start..<end]) else {
                return .failure(.malformed("a path segment is not valid percent-encoded UTF-8"))
            }
            let isLast = end == path.endIndex
            if segment == "." || segment == ".."
                || segment.utf8.contains(where: { $0 == 0x2F || $0 == 0x5C || $0 < 0x20 })
            {
                return .failure(
                    .malformed("dot segments, encoded slashes and control characters are not allowed in paths")
                )
            }
            if segment.isEmpty, !isLast {
                return .failure(.malformed("empty path segments are not allowed"))
            }
            if segments.count < 3 { segments.append(segment) }
            if segments.count == 3, afterThird == nil { afterThird = path.distance(from: path.startIndex, to: end) }
            if isLast { break }
            start = path.index(after: end)
        }
        return .success(Self.kind(segments, afterThird: afterThird, whole: path))
    }

    private static func kind(_ segments: [String], afterThird: Int?, whole: Substring.UTF8View) -> Kind {
        if let afterThird, segments[0].isSame("openai"), segments[1].isSame("deployments"), !segments[2].isEmpty {
            return .deployment(name: segments[2], rest: afterThird)
        }
        let path = Substring(whole)
        if path == "/health/front-door" { return .frontDoorHealth }
        if path == "/powerproxy/health/liveness" { return .liveness }
        return .other
    }

    /// Percent-decoding (RFC 3986 section 2.1); `nil` for a broken escape or bytes that are not UTF-8.
    private static func decode(_ segment: Substring.UTF8View) -> String? {
        guard segment.contains(UInt8(ascii: "%")) else { return String(Substring(segment)) }
        var bytes: [UInt8] = []
        var index = segment.startIndex
        while index < segment.endIndex {
            let byte = segment[index]
            index = segment.index(after: index)
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard segment.distance(from: index, to: segment.endIndex) >= 2 else { return nil }
            let second = segment.index(after: index)
            guard let high = hexValue(segment[index]), let low = hexValue(segment[second]) else { return nil }
            bytes.append(high << 4 | low)
            index = segment.index(after: second)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): true
        default: false
        }
    }
}
