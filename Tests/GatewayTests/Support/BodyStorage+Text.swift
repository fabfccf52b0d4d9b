import Transport

extension BodyStorage {
    static func of(_ bytes: some Sequence<UInt8>) -> BodyStorage {
        let body = BodyStorage()
        Array(bytes).withUnsafeBytes { body.append($0) }
        return body
    }

    static func of(_ text: String) -> BodyStorage { of(text.utf8) }

    var text: String { String(decoding: bytes, as: UTF8.self) }
}
