internal import Glibc

/// Reads what an answer cost, beside the bytes on their way to the client.
///
/// It takes the answer in whatever pieces it comes and looks at each byte once. It stores none of it but the piece of one
/// short value, allocates nothing per piece, and no answer can make it fail: what it does not understand it passes over.
///
/// Azure reports usage at the end of a JSON body, in the last chunk of a stream that asked for it, or in the event that ends
/// a response (azure.md 5.7). `"usage":null` is no usage, and neither is that of a response still at work.
///
/// Measured with a release build on one core of a shared 2-core machine: 0.8 us for a chat answer of 900 bytes, 0.03 us for an
/// event that is as the one before but for its words, 0.11 ns per byte of embeddings and 0.04 ns per byte of an image
/// (docs/decisions/0012-answers-read-in-blocks.md).
struct UsageReader {
    enum Format {
        /// One JSON object.
        case json
        /// Server-sent events, of which each carries one.
        case eventStream
        /// Sound, images, text: there is no usage in it.
        case opaque
    }

    /// As Azure reported it last; `nil` if it has not yet, or does not.
    private(set) var usage: TokenUsage?
    /// Why the answer is over, or that it is not.
    private(set) var finish: AnswerFinish?
    /// The model that answered, by its own name and version; at most 256 bytes.
    private(set) var model: String?
    private(set) var serviceTier: ServiceTier?
    /// The first error in the answer that says something, or the first.
    private(set) var error: AnswerError?
    /// `data: [DONE]` came.
    private(set) var isDone = false
    /// Something of the answer itself came: more than that there will be one, or what the filter thinks of the prompt.
    private(set) var hasContent = false

    private var json = AnswerJSON()
    private var isTaken = false
    /// The event that is being read has more than names and comments.
    private var hasPayload = false
    private var earlierTextBytes = 0
    private let format: Format
    private var pattern = EventPattern()
    /// Where in its piece the JSON of the event begins.
    private var jsonStart = 0

    // Of an event stream.
    private var line = Line.start
    /// Bytes of "data:" or "[DONE]" that the line has had.
    private var matched = 0
    /// The last line ended with CR: an LF still belongs to it.
    private(set) var isBehindCR = false

    private enum Line {
        case start
        case name
        case payloadStart
        case payload
        case done
        case other
    }

    init(_ format: Format) { self.format = format }

    /// Bytes of text that the model made, in UTF-8; of reasoning that Azure keeps to itself nothing can be counted.
    var textBytes: Int { earlierTextBytes + json.found.textBytes }

    /// What to settle: as reported, else estimated from what was seen.
    ///
    /// - Parameter promptEstimate: tokens of the prompt; 0 where Azure did not read it.
    func settled(promptEstimate: Int) -> TokenUsage {
        usage ?? .estimated(prompt: promptEstimate, textBytes: textBytes)
    }

    /// Takes the next bytes of the answer.
    mutating func read(_ bytes: UnsafeRawBufferPointer) {
        switch format {
        case .opaque: break
        case .json:
            json.read(bytes)
            takeIfComplete()
        case .eventStream:
            var at = 0
            while at < bytes.count { _ = readEvent(bytes, &at) }
        }
    }

    private mutating func takeIfComplete() {
        guard json.isComplete, !isTaken else { return }
        isTaken = true
        let found = json.found
        if let reported = found.usage, !found.isUsageOfResponse || found.type == .terminal { usage = reported }
        if let finish = found.finish { self.finish = finish }
        if let model = found.model {
            self.model = model
            json.wantsModel = false
        }
        if let tier = found.serviceTier { serviceTier = tier }
        if let error = found.answerError, self.error == nil || (self.error?.code.isEmpty ?? true) { self.error = error }
        switch found.type {
        case .lifecycle, .error: break
        case .terminal: hasContent = hasContent || finish != .failed
        case .other: hasContent = true
        // Without choices it is nothing that the gateway knows, and the client's.
        case nil: if found.choices != .empty, found.answerError == nil { hasContent = true }
        }
    }

    // MARK: event streams

    /// The event that was read says no more than that the model made some text, and so would any that has another text.
    private var isPattern: Bool {
        let found = json.found
        return json.isComplete && hasContent && found.usage == nil && found.answerError == nil && found.finish == nil
            && (found.type == nil ? found.choices == .some : found.type == .other)
    }

    /// What is known of an event.
    enum Event {
        /// More must come before anything can be said of it.
        case undecided
        /// It is, or will be, something else than the event that is only there for its usage.
        case ordinary
        /// It has an empty list of choices and a usage: what `include_usage` adds to a stream.
        case usageOnly
    }

    /// The last one that ended.
    private(set) var lastEvent = Event.undecided

    /// The one that is being read.
    var event: Event {
        if line == .done || json.found.choices == .some { return .ordinary }
        guard json.isComplete else { return .undecided }
        return json.found.usage != nil && json.found.choices == .empty ? .usageOnly : .ordinary
    }

    /// Reads up to the end of an event; true if that is where `at` is now, and not only at the end of the bytes.
    mutating func readEvent(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) -> Bool {
        if isBehindCR, at < bytes.count {
            isBehindCR = false
            if bytes[at] == 0x0A { at += 1 }
        }
        // Where the event begins, if it does in these bytes.
        var start: Int?
        if line == .start, !hasPayload {
            if let (end, counted) = pattern.match(bytes, from: at) {
                at = end
                earlierTextBytes += counted
                lastEvent = .ordinary
                return true
            }
            start = at
        }
        while at < bytes.count {
            switch line {
            case .start:
                if bytes[at] == 0x0A || bytes[at] == 0x0D {
                    if let start, bytes[at] == 0x0A, isPattern {
                        let event = UnsafeRawBufferPointer(rebasing: bytes[start...at])
                        pattern.learn(event, json.gaps, offset: jsonStart - start)
                    }
                    endLine(bytes, &at)
                    return true
                }
                beginLine()
            case .name:
                readName(bytes, &at)
            case .payloadStart, .payload, .done, .other:
                let end = Self.lineEnd(bytes, at)
                readLine(UnsafeRawBufferPointer(rebasing: bytes[at..<end]), at)
                at = end
                if at < bytes.count { endLine(bytes, &at) }
            }
        }
        return false
    }

    private mutating func beginLine() {
        line = .name
        matched = 0
    }

    private mutating func readName(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) {
        let name: StaticString = "data:"
        while at < bytes.count {
            guard bytes[at] == name.utf8Start[matched] else {
                line = .other
                return
            }
            at += 1
            matched += 1
            if matched == name.utf8CodeUnitCount {
                line = .payloadStart
                return
            }
        }
    }

    private mutating func readLine(_ bytes: UnsafeRawBufferPointer, _ start: Int) {
        var bytes = bytes
        if line == .payloadStart {
            let blanks = bytes.prefix { $0 == 0x20 }.count
            bytes = UnsafeRawBufferPointer(rebasing: bytes.dropFirst(blanks))
            guard let first = bytes.first else { return }
            jsonStart = start + blanks
            matched = 0
            line = first == UInt8(ascii: "[") ? .done : .payload
            hasPayload = true
        }
        switch line {
        case .payload:
            json.read(bytes)
            takeIfComplete()
        case .done:
            let mark: StaticString = "[DONE]"
            for byte in bytes where matched < mark.utf8CodeUnitCount {
                guard byte == mark.utf8Start[matched] else {
                    line = .other
                    return
                }
                matched += 1
                if matched == mark.utf8CodeUnitCount { isDone = true }
            }
        case .start, .name, .payloadStart, .other:
            break
        }
    }

    /// Behind the line break at `at`.
    private mutating func endLine(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) {
        if line == .start { endEvent() }
        line = .start
        let isCR = bytes[at] == 0x0D
        at += 1
        guard isCR else { return }
        if at == bytes.count {
            isBehindCR = true
        } else if bytes[at] == 0x0A {
            at += 1
        }
    }

    private mutating func endEvent() {
        lastEvent = event
        // What is no JSON is nothing that the gateway knows: it is the client's.
        if hasPayload, !isTaken { hasContent = true }
        hasPayload = false
        earlierTextBytes += json.found.textBytes
        json.reset()
        isTaken = false
    }

    /// Where the line ends: index of its CR or LF, or the end of the bytes.
    private static func lineEnd(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        let base = bytes.baseAddress!
        var end = bytes.count
        if let found = memchr(base + start, 0x0A, end - start) { end = UnsafeRawPointer(found) - base }
        if let found = memchr(base + start, 0x0D, end - start) { end = UnsafeRawPointer(found) - base }
        return end
    }
}
