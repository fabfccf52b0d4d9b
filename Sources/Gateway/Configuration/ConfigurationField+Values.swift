extension ConfigurationField {
    func duration(from least: Duration, to most: Duration) -> Duration? {
        self.value { text throws(BadValue) in
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
        self.value { text throws(BadValue) in
            let number = try syntax.parse(text)
            guard range.contains(number) else {
                throw BadValue("must be from \(syntax.text(range.lowerBound)) to \(syntax.text(range.upperBound))")
            }
            return number
        }?.value
    }

    func bool() -> Bool? {
        self.value { text throws(BadValue) in
            switch text {
            case "true": return true
            case "false": return false
            default: throw BadValue("must be true or false")
            }
        }?.value
    }

    /// One of an enumeration's words.
    func choice<Choice: CaseIterable & RawRepresentable<String>>(of type: Choice.Type) -> Choice? {
        guard let text = self.text() else { return nil }
        if let choice = Choice(rawValue: text.value) { return choice }
        let words = Choice.allCases.map(\.rawValue)
        var sentence = "must be one of \(words.joined(separator: ", "))"
        if text.isShowable {
            sentence += "; found '\(ConfigurationText.printable(text.value))'"
            sentence += NearestName.suggestion(for: text.value, among: words)
        }
        self.report(sentence)
        return nil
    }

    /// The name of a client, an endpoint, a model or a deployment.
    func name() -> Located<String>? {
        self.value { text throws(BadValue) in
            let isName = text.utf8.allSatisfy { ConfigurationText.isLetterOrDigit($0) || "._-".utf8.contains($0) }
            guard isName, text.utf8.count <= 64 else {
                throw BadValue("must be 1 to 64 letters, digits, '.', '_' or '-'")
            }
            return text
        }
    }

    /// A key sent in a header; its text never appears in a message.
    func secret() -> Located<Secret>? {
        self.value { text throws(BadValue) in
            guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw BadValue("must be printable ASCII characters without spaces", shown: false)
            }
            guard (8...512).contains(text.utf8.count) else {
                throw BadValue("must be 8 to 512 characters long", shown: false)
            }
            return Secret(text)
        }
    }

    /// A path, resolved against the configuration file's folder. Whether a file is there is asked when it is used.
    func path() -> String? {
        self.value { text throws(BadValue) in
            guard !text.utf8.contains(0) else { throw BadValue("must be a path", shown: false) }
            return self.context.surroundings.resolve(path: text)
        }?.value
    }
}
