/// Text addressed the way the YAML parser reports it: lines and columns of Unicode scalars, both from 1.
struct SourceText {
    /// Changing one scalar for another that is no line break keeps every position.
    var scalars: [Unicode.Scalar]
    /// Index of the first scalar of each line; never empty.
    private let lineStarts: [Int]

    init(_ text: String) {
        self.scalars = Array(text.unicodeScalars)
        if self.scalars.first == "\u{FEFF}" {
            self.scalars.removeFirst()  // a byte order mark is no content
        }
        var starts = [0]
        for (index, scalar) in self.scalars.enumerated() where Self.isBreak(scalar) {
            let isFirstOfTwo = scalar == "\r" && index + 1 < self.scalars.count && self.scalars[index + 1] == "\n"
            if !isFirstOfTwo {
                starts.append(index + 1)
            }
        }
        self.lineStarts = starts
    }

    var text: String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: self.scalars)
        return String(view)
    }

    func position(of index: Int) -> ConfigurationPosition {
        // The last line that starts at or before the index, by bisection.
        var low = 0
        var high = self.lineStarts.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if self.lineStarts[middle] <= index { low = middle } else { high = middle - 1 }
        }
        return ConfigurationPosition(line: low + 1, column: index - self.lineStarts[low] + 1)
    }

    /// Nil when the position is outside the text.
    func index(of position: ConfigurationPosition) -> Int? {
        guard self.lineStarts.indices.contains(position.line - 1), position.column > 0 else { return nil }
        let index = self.lineStarts[position.line - 1] + position.column - 1
        return self.scalars.indices.contains(index) ? index : nil
    }

    /// The scalars of a line, from 1; empty when there is no such line.
    func line(_ number: Int) -> ArraySlice<Unicode.Scalar> {
        guard self.lineStarts.indices.contains(number - 1) else { return [] }
        let end = self.lineStarts.indices.contains(number) ? self.lineStarts[number] : self.scalars.count
        return self.scalars[self.lineStarts[number - 1]..<end]
    }

    /// YAML 1.1's line breaks, which are the ones libyaml counts.
    private static func isBreak(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "\n" || scalar == "\r" || scalar == "\u{85}" || scalar == "\u{2028}" || scalar == "\u{2029}"
    }
}
