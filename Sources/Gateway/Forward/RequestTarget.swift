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

    /// With its "?"; empty where there is none.
    var query: Substring { Substring(raw.utf8.dropFirst(pathEnd)) }

    /// Reads a target, or says what is wrong with it (RFC 9112 section 3.2, RFC 3986 section 3.3).
    static func parse(_ target: String) -> Result<Self, GatewayError> {
        guard var raw = originForm(target) else {
            return .failure(.malformed("the request target is neither a path nor an absolute URL"))
        }
        let read = raw.withUTF8 { bytes -> Result<(kind: Kind, pathEnd: Int), GatewayError> in
            var pathEnd = bytes.count
            for offset in 0..<bytes.count {
                let byte = bytes[offset]
                guard byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "#") else {
                    return .failure(.malformed("the request target has a character that must be percent-encoded"))
                }
                if byte == UInt8(ascii: "?"), offset < pathEnd { pathEnd = offset }
            }
            return readPath(bytes[..<pathEnd]).map { ($0, pathEnd) }
        }
        return read.map { Self(raw: raw, pathEnd: $0.pathEnd, kind: $0.kind) }
    }

    /// The target for a deployment of that name; `self` is of kind `.deployment`.
    func naming(deployment: String) -> String {
        guard case .deployment(let name, let rest) = kind else { return raw }
        let prefix: StaticString = "/openai/deployments/"
        let start = prefix.utf8CodeUnitCount
        // Most requests are spelled as Azure shall see them.
        if deployment == name, rest == start + name.utf8.count, raw.hasBytes(prefix) { return raw }
        let escaped = deployment.utf8.count * 3
        return String(unsafeUninitializedCapacity: start + escaped + raw.utf8.count - rest) { room in
            var count = room.append(prefix, at: 0)
            for byte in deployment.utf8 {
                if Self.isUnreserved(byte) {
                    room[count] = byte
                    count += 1
                } else {
                    room[count] = UInt8(ascii: "%")
                    room[count + 1] = Self.hexDigit(byte >> 4)
                    room[count + 2] = Self.hexDigit(byte & 0xF)
                    count += 3
                }
            }
            return raw.withBytes { raw in
                for index in rest..<raw.count { room[count + index - rest] = raw[index] }
                return count + raw.count - rest
            }
        }
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

    private static func readPath(_ path: Slice<UnsafeBufferPointer<UInt8>>) -> Result<Kind, GatewayError> {
        var count = 0
        var isDeployment = true
        var kind = Kind.other
        var start = path.startIndex + 1
        while true {
            let end = path[start...].firstIndex(of: UInt8(ascii: "/")) ?? path.endIndex
            let isLast = end == path.endIndex
            let segment: Segment
            switch Segment.read(path[start..<end]) {
            case .success(let read): segment = read
            case .failure(let error): return .failure(error)
            }
            if start == end, !isLast { return .failure(.malformed("empty path segments are not allowed")) }
            switch count {
            case 0: isDeployment = segment.isSame("openai")
            case 1: isDeployment = isDeployment && segment.isSame("deployments")
            case 2: if isDeployment, start < end { kind = .deployment(name: segment.text, rest: end) }
            default: break
            }
            count += 1
            if isLast { break }
            start = end + 1
        }
        if path.isSame("/health/front-door") { return .success(.frontDoorHealth) }
        if path.isSame("/powerproxy/health/liveness") { return .success(.liveness) }
        return .success(kind)
    }

    /// One segment of a path, decoded where it has an escape.
    private enum Segment {
        case plain(Slice<UnsafeBufferPointer<UInt8>>)
        case decoded([UInt8])

        static func read(_ raw: Slice<UnsafeBufferPointer<UInt8>>) -> Result<Self, GatewayError> {
            let segment: Self
            if raw.contains(UInt8(ascii: "%")) {
                guard let bytes = decode(raw) else {
                    return .failure(.malformed("a path segment is not valid percent-encoded UTF-8"))
                }
                segment = .decoded(bytes)
            } else {
                segment = .plain(raw)
            }
            guard segment.isAllowed else {
                return .failure(
                    .malformed("dot segments, encoded slashes and control characters are not allowed in paths")
                )
            }
            return .success(segment)
        }

        private var isAllowed: Bool {
            switch self {
            case .plain(let bytes): Self.isAllowed(bytes)
            case .decoded(let bytes): Self.isAllowed(bytes)
            }
        }

        private static func isAllowed(_ bytes: some Collection<UInt8>) -> Bool {
            if bytes.count <= 2, bytes.count > 0, bytes.allSatisfy({ $0 == UInt8(ascii: ".") }) { return false }
            return !bytes.contains { $0 == 0x2F || $0 == 0x5C || $0 < 0x20 }
        }

        func isSame(_ lower: StaticString) -> Bool {
            switch self {
            case .plain(let bytes): bytes.isSame(lower, foldingCase: true)
            case .decoded(let bytes): bytes.isSame(lower, foldingCase: true)
            }
        }

        var text: String {
            switch self {
            case .plain(let bytes): String(decoding: bytes, as: UTF8.self)
            case .decoded(let bytes): String(decoding: bytes, as: UTF8.self)
            }
        }
    }

    /// Percent-decoding (RFC 3986 section 2.1); `nil` for a broken escape or bytes that are not UTF-8.
    private static func decode(_ segment: Slice<UnsafeBufferPointer<UInt8>>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var index = segment.startIndex
        while index < segment.endIndex {
            let byte = segment[index]
            index += 1
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard segment.endIndex - index >= 2, let high = hexValue(segment[index]),
                let low = hexValue(segment[index + 1])
            else { return nil }
            bytes.append(high << 4 | low)
            index += 2
        }
        return String(validating: bytes, as: UTF8.self) == nil ? nil : bytes
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x41 + value - 10 }

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

extension Collection<UInt8> {
    fileprivate func isSame(_ text: StaticString, foldingCase: Bool = false) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        return zip(self, 0...).allSatisfy { byte, offset in
            (foldingCase && byte &- 0x41 < 26 ? byte | 0x20 : byte) == text.utf8Start[offset]
        }
    }
}

extension String {
    /// Whether it begins with exactly these bytes.
    fileprivate func hasBytes(_ prefix: StaticString) -> Bool {
        withBytes { $0.count >= prefix.utf8CodeUnitCount && $0.begins(prefix) }
    }
}

extension UnsafeMutableBufferPointer<UInt8> {
    /// Returns the index behind it.
    fileprivate func append(_ text: StaticString, at start: Int) -> Int {
        for index in 0..<text.utf8CodeUnitCount { self[start + index] = text.utf8Start[index] }
        return start + text.utf8CodeUnitCount
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Whether the first bytes are these; there are as many.
    fileprivate func begins(_ text: StaticString) -> Bool {
        for index in 0..<text.utf8CodeUnitCount where self[index] != text.utf8Start[index] { return false }
        return true
    }
}
