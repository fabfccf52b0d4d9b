/// The last event of a stream, to know the next one by.
///
/// The events of a chat differ in the words that the model made and in little else. What differs between two of them only
/// within texts and numbers that nobody reads but by their length means the same, so most events are compared with the one
/// before instead of being read: a tenth of the time.
struct EventPattern {
    /// A part of an event whose content makes no difference.
    struct Gap {
        /// From the first byte of the JSON; a text without its quotes.
        var start: UInt16
        var end: UInt16
        var kind: Kind

        enum Kind: UInt8 {
            /// Text of the model, whose length counts.
            case counted
            /// Any other text.
            case passed
            case number
        }
    }

    /// Longer events are read each time. Azure's have 300 to 700 bytes.
    static let mostBytes = 1024
    private var event: [UInt8] = []
    private var gaps = EventGaps()
    /// Where in the event the gaps count from.
    private var offset = 0

    /// Takes an event for its pattern.
    ///
    /// - Parameters:
    ///   - event: from its first byte to the line feed of its blank line.
    ///   - gaps: where it may differ, in their order.
    ///   - offset: where in the event the gaps count from.
    mutating func learn(_ event: UnsafeRawBufferPointer, _ gaps: EventGaps, offset: Int) {
        self.event.removeAll(keepingCapacity: true)
        guard !gaps.areTooMany, event.count <= Self.mostBytes else { return }
        self.event.append(contentsOf: event)
        self.gaps = gaps
        self.offset = offset
    }

    /// Compares what begins at `start`. Returns where that event ends and the bytes of text in it that count; `nil` if it
    /// is another event, or not whole.
    ///
    /// Only in gaps that do differ it looks for their end; in most events these are one or two.
    func match(_ bytes: UnsafeRawBufferPointer, from start: Int) -> (end: Int, counted: Int)? {
        guard !event.isEmpty else { return nil }
        return event.withUnsafeBytes { event in
            var at = start
            var from = 0
            var counted = 0
            var index = 0
            while true {
                let same = JSONBytes.sameBytes(bytes, at, as: event, from)
                at += same
                from += same
                // The byte behind a gap has to be the same as well, or the gap is longer.
                while index < gaps.count, offset + Int(gaps[index].end) < from {
                    let text = offset + Int(gaps[index].start)
                    if gaps[index].kind == .counted, Self.endOfCounted(event, text, &counted) == nil { return nil }
                    index += 1
                }
                if from == event.count { return (at, counted) }
                guard index < gaps.count else { return nil }
                let gap = gaps[index]
                guard offset + Int(gap.start) <= from else { return nil }
                at -= from - (offset + Int(gap.start))
                let end: Int?
                switch gap.kind {
                case .counted: end = Self.endOfCounted(bytes, at, &counted)
                case .passed: end = Self.endOfPassed(bytes, at)
                case .number: end = Self.endOfNumber(bytes, at)
                }
                guard let end else { return nil }
                at = end
                from = offset + Int(gap.end)
                index += 1
            }
        }
    }

    /// Where the quote is that ends a text; `nil` if it does not end in this line.
    private static func endOfPassed(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int? {
        var at = JSONBytes.endOfPlainText(bytes, start)
        while at < bytes.count, bytes[at] >= 0x20 {
            if bytes[at] == UInt8(ascii: "\"") { return at }
            if bytes[at] == UInt8(ascii: "\\") {
                at += 1
                guard at < bytes.count, bytes[at] >= 0x20 else { return nil }
            }
            at += 1
        }
        return nil
    }

    /// The same, with the length that the text has.
    private static func endOfCounted(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ length: inout Int) -> Int? {
        var at = JSONBytes.endOfPlainText(bytes, start)
        length += at - start
        var escape = EscapeLength()
        while at < bytes.count, bytes[at] >= 0x20 {
            if escape.isEnd(bytes[at]) {
                length += escape.length
                return at
            }
            at += 1
        }
        return nil
    }

    private static func endOfNumber(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int? {
        var at = start
        while at < bytes.count, JSONNumber.mayHold(bytes[at]) { at += 1 }
        return at > start ? at : nil
    }
}

/// The gaps of a JSON text, as they are found.
struct EventGaps {
    private(set) var count = 0
    /// There are more than fit, or the text came in pieces: what is known is of no use.
    private(set) var areTooMany = false
    private var gaps = InlineArray<8, EventPattern.Gap>(repeating: .init(start: 0, end: 0, kind: .passed))

    subscript(index: Int) -> EventPattern.Gap { gaps[index] }

    mutating func add(_ start: Int, _ end: Int, _ kind: EventPattern.Gap.Kind) {
        guard !areTooMany, count < gaps.count, end <= EventPattern.mostBytes else {
            areTooMany = true
            return
        }
        gaps[count] = .init(start: UInt16(start), end: UInt16(end), kind: kind)
        count += 1
    }

    mutating func lose() { areTooMany = true }
}
