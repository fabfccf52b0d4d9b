/// Questions about single bytes and how to show text in one line.
enum ConfigurationText {
    static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        self.isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    static func isHexadecimal(_ byte: UInt8) -> Bool {
        self.isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
    }

    /// Whether a text can name a client or an endpoint.
    static func isTitle(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && text.first != " " && text.last != " "
            && text.utf8.allSatisfy { self.isLetterOrDigit($0) || "._- ".utf8.contains($0) }
    }

    /// RFC 9110 section 5.6.2: what a header's name is made of.
    static func isToken(_ byte: UInt8) -> Bool {
        self.isLetterOrDigit(byte) || "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }

    /// At most 60 characters, on one line: control characters and line breaks become `?`.
    static func printable(_ text: String) -> String {
        var shown = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(60) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned, .surrogate:
                shown.append("?")
            default:
                shown.append(scalar)
            }
        }
        return String(shown) + (text.unicodeScalars.count > 60 ? "..." : "")
    }
}

/// How a key of a mapping is named in a message.
enum KeyName {
    /// " 'key'", or nothing when the key does not look like one: `{api_key:SECRET}` is a key to YAML, and an
    /// Azure key is 32 characters or more.
    static func quoted(_ key: String) -> String {
        let isName = key.utf8.allSatisfy { ConfigurationText.isLetterOrDigit($0) || "_-".utf8.contains($0) }
        return isName && (1...30).contains(key.utf8.count) ? " '\(key)'" : ""
    }
}
