/// A client's key in the query, as WebSocket clients send it, is never passed on.
enum QueryCredentials {
    static func removed(from target: String) -> String {
        guard mayHoldKey(target), let question = target.utf8.firstIndex(of: UInt8(ascii: "?")) else { return target }
        let query = target[target.utf8.index(after: question)...]
        let kept = query.split(separator: "&", omittingEmptySubsequences: false).filter { pair in
            let name = pair.prefix { $0 != "=" }
            return !(name.isSame("api-key") || (name.contains("%") && decoded(name).isSame("api-key")))
        }
        let path = target[..<question]
        return kept.isEmpty ? String(path) : path + "?" + kept.joined(separator: "&")
    }

    /// A quick look that spares nearly all targets the splitting: "-k" of "api-key", or an escape, in the query.
    private static func mayHoldKey(_ target: String) -> Bool {
        target.withBytes { bytes in
            var index = 0
            while index < bytes.count, bytes[index] != UInt8(ascii: "?") { index += 1 }
            while index < bytes.count {
                let byte = bytes[index]
                if byte == UInt8(ascii: "%") { return true }
                if byte | 0x20 == UInt8(ascii: "k"), bytes[index - 1] == UInt8(ascii: "-") { return true }
                index += 1
            }
            return false
        }
    }

    private static func decoded(_ name: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = name.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = UInt8(Substring(rest.prefix(2)), radix: 16) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
