/// Reads the JSON of an answer as it comes, byte by byte once, and keeps only the few values that matter.
///
/// It knows which object it is in as far as anything in there is of interest (`Place`); all else is skipped with no more
/// than a count of brackets, eight bytes at a time. Nothing is stored but one short value that chunks may have cut in two,
/// so an answer of any size and depth costs the same memory and no allocation. It is no validator: of text that is not
/// JSON it makes something harmless.
struct AnswerJSON {
    /// What the text said; valid where `isComplete`.
    private(set) var found = Found()
    /// The outermost object is closed.
    private(set) var isComplete = false

    /// The model is not known yet.
    var wantsModel = true

    /// Texts and numbers that the next event may have otherwise and mean the same.
    private(set) var gaps = EventGaps()
    /// Where the text began that is being read.
    private var gapStart = 0
    private var hasBegun = false

    /// Between which tokens, or in which, the text stands.
    private enum State {
        case between
        /// In the name of a member.
        case name
        /// In a string that is kept for a moment.
        case kept
        /// In a string whose length counts.
        case counted
        /// In a string that does not matter.
        case passed
        case number
        /// In an object or array that does not matter.
        case skipping
        case skippingText
        /// Behind the outermost object, or in something that is not one.
        case over
    }

    private var state = State.between
    private var places = Places()
    private var member = Member.other
    private var expectsName = false
    /// Brackets open in what is skipped.
    private var skipped = 0
    private var text = JSONBytes.Text()
    private var escape = EscapeLength()
    private var number = JSONNumber()
    /// The part of a string that came with earlier chunks.
    private var scratch = ShortText()

    /// Forgets everything for the next text.
    mutating func reset() {
        found = Found()
        isComplete = false
        state = .between
        places = Places()
        member = .other
        expectsName = false
        text = JSONBytes.Text()
        scratch.clear()
        gaps = EventGaps()
        hasBegun = false
    }

    /// Takes the next bytes of the text.
    mutating func read(_ bytes: UnsafeRawBufferPointer) {
        if hasBegun { gaps.lose() }
        hasBegun = true
        var at = 0
        while at < bytes.count {
            switch state {
            case .between: at = readBetween(bytes, at)
            case .name, .kept: at = readKept(bytes, at)
            case .counted: at = readCounted(bytes, at)
            case .passed:
                at = JSONBytes.behindText(bytes, at, &text)
                if at > 0 {
                    if places.top == .root { gaps.add(gapStart, at - 1, .passed) }
                    state = .between
                } else {
                    at = bytes.count
                }
            case .number: at = readNumber(bytes, at)
            case .skipping: at = skip(bytes, at)
            case .skippingText:
                at = JSONBytes.behindText(bytes, at, &text)
                if at > 0 { state = .skipping } else { at = bytes.count }
            case .over: return
            }
        }
    }

    // MARK: between tokens

    private mutating func readBetween(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var at = start
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case UInt8(ascii: "\""):
                gapStart = at
                beginText()
                return at
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                open(isArray: byte == UInt8(ascii: "["))
                if state != .between { return at }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                close()
                if state != .between { return at }
            case UInt8(ascii: ","):
                expectsName = !places.top.isArray
                member = .other
            case UInt8(ascii: ":"):
                expectsName = false
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                guard member.isNumber || member == .code else {
                    let first = at - 1
                    while at < bytes.count, JSONNumber.mayHold(bytes[at]) { at += 1 }
                    if places.top == .root { gaps.add(first, at, .number) }
                    continue
                }
                number = JSONNumber()
                state = .number
                return at - 1
            default:
                // White space, true, false, null. A text that does not begin with an object is of no interest.
                if places.isEmpty, byte > 0x20 { state = .over }
                if state == .over { return at }
            }
        }
        return at
    }

    private mutating func open(isArray: Bool) {
        let place = places.isEmpty && !isArray ? .root : places.top.child(member, isArray: isArray)
        guard let place else {
            state = places.isEmpty ? .over : .skipping
            skipped = 1
            return
        }
        found.entered(place, within: places.top)
        places.push(place)
        expectsName = !isArray
        member = .other
    }

    private mutating func close() {
        guard let place = places.pop() else {
            state = .over
            return
        }
        found.left(place)
        expectsName = false
        member = .other
        if places.isEmpty {
            isComplete = true
            state = .over
        }
    }

    // MARK: strings

    private mutating func beginText() {
        guard !places.isEmpty else {
            state = .over
            return
        }
        scratch.clear()
        text = JSONBytes.Text()
        if expectsName {
            state = .name
        } else {
            switch member {
            case .finish, .type, .status, .serviceTier, .code, .message, .error: state = .kept
            case .model: state = wantsModel ? .kept : .passed
            // The delta of a chat is an object, that of an event is a text.
            case .made, .delta:
                escape = EscapeLength()
                state = .counted
            default: state = .passed
            }
        }
    }

    private mutating func readKept(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        let end = JSONBytes.behindText(bytes, start, &text)
        guard end > 0 else {
            scratch.append(UnsafeRawBufferPointer(rebasing: bytes[start...]))
            return bytes.count
        }
        let piece = UnsafeRawBufferPointer(rebasing: bytes[start..<(end - 1)])
        let isName = state == .name
        state = .between
        if scratch.count == 0 {
            unescape(UnsafeRawBufferPointer(rebasing: piece.prefix(ShortText.capacity)), isName: isName)
        } else {
            scratch.append(piece)
            let whole = scratch
            whole.withBytes { unescape($0, isName: isName) }
        }
        return end
    }

    private mutating func unescape(_ text: UnsafeRawBufferPointer, isName: Bool) {
        guard self.text.hasEscapes else { return ended(text, isName: isName) }
        ShortText(unescaping: text).withBytes { ended($0, isName: isName) }
    }

    private mutating func ended(_ text: UnsafeRawBufferPointer, isName: Bool) {
        if isName {
            member = places.top.member(text)
        } else {
            found.take(text, for: member, in: places.top)
        }
    }

    private mutating func readCounted(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        for at in start..<bytes.count where escape.isEnd(bytes[at]) {
            found.textBytes += escape.length
            gaps.add(gapStart, at, .counted)
            state = .between
            return at + 1
        }
        return bytes.count
    }

    // MARK: numbers

    private mutating func readNumber(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        for at in start..<bytes.count where !number.take(bytes[at]) {
            found.take(number, for: member, in: places.top)
            state = .between
            return at
        }
        return bytes.count
    }

    // MARK: what does not matter

    private mutating func skip(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var at = start
        var open = skipped
        defer { skipped = open }
        while true {
            at = JSONBytes.nextBracketOrQuote(bytes, at)
            guard at < bytes.count else { return at }
            let byte = bytes[at]
            at += 1
            if byte == UInt8(ascii: "\"") {
                let end = JSONBytes.behindText(bytes, at, &text)
                guard end > 0 else {
                    state = .skippingText
                    return bytes.count
                }
                at = end
            } else if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                open += 1
            } else {
                open -= 1
                if open == 0 {
                    state = .between
                    expectsName = false
                    member = .other
                    return at
                }
            }
        }
    }
}
