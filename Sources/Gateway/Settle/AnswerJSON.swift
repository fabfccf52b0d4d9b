/// Reads the JSON of an answer as it comes, byte by byte once, and keeps only the few values that matter.
///
/// It knows which object it is in as far as anything in there is of interest (`Place`); all else is skipped with no more
/// than a count of brackets, 64 bytes at a time. Nothing is stored but one short value that chunks may have cut in two,
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
        /// Behind the outermost object, or in something that is not one.
        case over
    }

    private var state = State.between
    private var places = Places()
    private var member = Member.other
    private var expectsName = false
    private var skipped = JSONBytes.Nest()
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
            case .passed: at = readPassed(bytes, at)
            case .number: at = readNumber(bytes, at)
            case .skipping: at = skip(bytes, at)
            case .over: return
            }
        }
    }

    // MARK: between tokens

    private mutating func readBetween(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        // The pointer of a buffer may be nil, which each look at it would ask again.
        let base = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
        let count = bytes.count
        var at = start
        while at < count {
            let byte = base[at]
            at += 1
            switch byte {
            case UInt8(ascii: "\""):
                at = expectsName ? beginName(bytes, at) : beginText(bytes, at)
                if state != .between { return at }
                // As most names go on.
                if at < count, base[at] == UInt8(ascii: ":") {
                    expectsName = false
                    at += 1
                }
            case UInt8(ascii: ","):
                expectsName = !places.top.isArray
                member = .other
            case UInt8(ascii: ":"):
                expectsName = false
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                open(isArray: byte == UInt8(ascii: "["))
                if state == .skipping { at = skip(bytes, at) }
                if state != .between { return at }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                close()
                if state != .between { return at }
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                guard member.isNumber || member == .code else {
                    let first = at - 1
                    while at < count, JSONNumber.mayHold(base[at]) { at += 1 }
                    if places.top == .root { gaps.add(first, at, .number) }
                    continue
                }
                at = beginNumber(bytes, at - 1)
                if state != .between { return at }
            default:
                // White space, true, false, null. A text that does not begin with an object is of no interest.
                guard !places.isEmpty else {
                    if byte <= 0x20 { continue }
                    state = .over
                    return at
                }
                while at < count, Self.isLetter(base[at]) { at += 1 }
            }
        }
        return at
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- UInt8(ascii: "a") < 26 }

    private mutating func open(isArray: Bool) {
        let place = places.isEmpty && !isArray ? .root : places.top.child(member, isArray: isArray)
        guard let place else {
            state = places.isEmpty ? .over : .skipping
            skipped = JSONBytes.Nest()
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

    /// A name begins at `start`, behind its quote. Most are there as a whole, without an escape.
    @inline(__always)
    private mutating func beginName(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        let end = JSONBytes.nextQuoteOrBackslash(bytes, start)
        guard !places.isEmpty, end < bytes.count, bytes[end] == UInt8(ascii: "\"") else {
            return beginText(bytes, start)
        }
        member = places.top.member(.init(start: bytes.baseAddress! + start, count: end - start))
        return end + 1
    }

    /// A string begins at `start`, behind its quote. It is read as far as it is there.
    private mutating func beginText(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        guard !places.isEmpty else {
            state = .over
            return start
        }
        gapStart = start
        scratch.clear()
        text = JSONBytes.Text()
        if expectsName {
            state = .name
            return readKept(bytes, start)
        }
        switch member {
        case .finish, .type, .status, .serviceTier, .code, .message, .error: state = .kept
        case .model: state = wantsModel ? .kept : .passed
        // The delta of a chat is an object, that of an event is a text.
        case .made, .delta:
            escape = EscapeLength()
            state = .counted
            return readCounted(bytes, start)
        default: state = .passed
        }
        return state == .kept ? readKept(bytes, start) : readPassed(bytes, start)
    }

    private mutating func readPassed(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        let end = JSONBytes.behindText(bytes, start, &text)
        guard end > 0 else { return bytes.count }
        if places.top == .root { gaps.add(gapStart, end - 1, .passed) }
        state = .between
        return end
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
        var at = start
        while at < bytes.count {
            if escape.isOutside {
                let end = JSONBytes.nextQuoteOrBackslash(bytes, at)
                escape.add(plain: end - at)
                guard end < bytes.count else { return end }
                at = end
            }
            if escape.isEnd(bytes[at]) {
                found.textBytes += escape.length
                gaps.add(gapStart, at, .counted)
                state = .between
                return at + 1
            }
            at += 1
        }
        return at
    }

    // MARK: numbers

    /// A number begins at `start`. Most are a few digits.
    private mutating func beginNumber(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        let base = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
        let most = min(bytes.count, start + JSONNumber.fewDigits + 1)
        var whole = 0
        var at = start
        while at < most, base[at] &- UInt8(ascii: "0") < 10 {
            whole = whole &* 10 &+ Int(base[at] &- UInt8(ascii: "0"))
            at += 1
        }
        guard at < most, !JSONNumber.mayHold(base[at]) else {
            number = JSONNumber()
            return readNumber(bytes, start)
        }
        found.take(JSONNumber(whole: whole), for: member, in: places.top)
        return at
    }

    private mutating func readNumber(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var at = start
        var read = number
        while at < bytes.count, read.take(bytes[at]) { at += 1 }
        number = read
        guard at < bytes.count else {
            state = .number
            return at
        }
        found.take(read, for: member, in: places.top)
        state = .between
        return at
    }

    // MARK: what does not matter

    private mutating func skip(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        let end = skipped.skip(bytes, start)
        if skipped.isClosed {
            state = .between
            expectsName = false
            member = .other
        }
        return end
    }
}
