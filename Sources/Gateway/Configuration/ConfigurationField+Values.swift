extension ConfigurationField {
    func duration(from least: Duration, to most: Duration) -> Duration? {
        self.value(.duration(least...most)) { text throws(BadValue) in
            let duration = try DurationSyntax.parse(text)
            guard least <= duration, duration <= most else {
                throw BadValue("must be from \(DurationSyntax.text(least)) to \(DurationSyntax.text(most))")
            }
            return duration
        }?.value
    }

    /// A number with k, M and G for thousands, millions and so on.
    func count(in range: ClosedRange<Int>) -> Int? {
        self.number(in: range, as: .count)
    }

    /// A number of bytes with k, M and G for powers of 1,024.
    func bytes(in range: ClosedRange<Int>) -> Int? {
        self.number(in: range, as: .bytes)
    }

    private func number(in range: ClosedRange<Int>, as syntax: QuantitySyntax) -> Int? {
        self.value(syntax == .count ? .count(range) : .bytes(range)) { text throws(BadValue) in
            let number = try syntax.parse(text)
            guard range.contains(number) else {
                throw BadValue("must be from \(syntax.text(range.lowerBound)) to \(syntax.text(range.upperBound))")
            }
            return number
        }?.value
    }

    /// A decimal fraction from 0 to 1.
    func fraction() -> Double? {
        self.value(.fraction, FractionSyntax.parse)?.value
    }

    func bool() -> Bool? {
        self.value(.bool) { text throws(BadValue) in
            switch text {
            case "true": return true
            case "false": return false
            default: throw BadValue("must be true or false")
            }
        }?.value
    }

    /// One of an enumeration's words.
    func choice<Choice: CaseIterable & RawRepresentable<String>>(of type: Choice.Type) -> Choice? {
        let words = Choice.allCases.map(\.rawValue)
        if let outline = self.outline {
            outline.note(.choice(words))
            return nil
        }
        guard let text = self.text() else { return nil }
        if let choice = Choice(rawValue: text.value) { return choice }
        var sentence = "must be one of \(words.joined(separator: ", "))"
        if text.isShowable {
            sentence += "; found '\(ConfigurationText.printable(text.value))'"
            sentence += NearestName.suggestion(for: text.value, among: words)
        }
        self.report(sentence)
        return nil
    }

    /// The name of a model or a deployment, which is part of a URL.
    func name() -> Located<String>? {
        self.value(.words("name")) { text throws(BadValue) in
            let isName = text.utf8.allSatisfy { ConfigurationText.isLetterOrDigit($0) || "._-".utf8.contains($0) }
            guard isName, text.utf8.count <= 64 else {
                throw BadValue("must be 1 to 64 letters, digits, '.', '_' or '-'")
            }
            return text
        }
    }

    /// The name of a client or an endpoint, which people read: as `name`, with spaces inside.
    func title() -> Located<String>? {
        self.value(.words("name, spaces allowed")) { text throws(BadValue) in
            guard ConfigurationText.isTitle(text) else {
                throw BadValue("must be 1 to 64 letters, digits, '.', '_', '-' or spaces inside")
            }
            return text
        }
    }

    /// The id of something in Entra ID or Azure, in lower case.
    func uuid() -> String? {
        self.value(.id) { text throws(BadValue) in
            let groups = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
            let isHexadecimal = text.utf8.allSatisfy { $0 == UInt8(ascii: "-") || ConfigurationText.isHexadecimal($0) }
            guard groups.map(\.count) == [8, 4, 4, 4, 12], isHexadecimal else {
                throw BadValue("must be an id such as 00000000-0000-0000-0000-000000000000")
            }
            return text.lowercased()
        }?.value
    }

    /// A key sent in a header; its text never appears in a message.
    func secret(_ lengths: ClosedRange<Int> = 8...512) -> Located<Secret>? {
        self.value(.secret(lengths)) { text throws(BadValue) in
            guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw BadValue("must be printable ASCII characters without spaces", shown: false)
            }
            guard lengths.contains(text.utf8.count) else {
                throw BadValue(
                    "must be \(lengths.lowerBound) to \(lengths.upperBound) characters long",
                    shown: false
                )
            }
            return Secret(text)
        }
    }

    /// A path, resolved against the configuration file's folder. Whether a file is there is asked when it is used.
    func path() -> String? {
        self.value(.words("path, relative to this file")) { text throws(BadValue) in
            guard !text.utf8.contains(0) else { throw BadValue("must be a path", shown: false) }
            return self.context.surroundings.resolve(path: text)
        }?.value
    }
}
