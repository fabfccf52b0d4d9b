internal import Glibc

/// Whether a stream came whole and in order. Pure: the `data:` of each event goes in.
struct StreamCheck {
    /// What is wrong with a stream. The first thing found counts.
    enum Fault: String, CaseIterable, Sendable {
        case noDone = "no [DONE]"
        case afterDone = "event after [DONE]"
        case error = "error event"
        case wordOrder = "words out of order"
        case wordCount = "fewer words than the usage says"
        case lineTooLong = "line too long"
    }

    /// What an event is to those who measure.
    enum Meaning: Equatable {
        /// Role, filter results, finish reason, usage.
        case frame
        /// Text that a person would see.
        case content
        case done
    }

    /// The words of mock-azure's answers, which follow each other in a ring; each but an answer's first is after a
    /// space.
    private static let ring: [UInt8] = Array(
        (" The gateway passed this answer on and every word of it arrived in order without any loss or change so the "
            + "reader may count them one by one until the last").utf8
    )

    private let level: RequestKind.Verify
    private var isDone = false
    /// Where in the ring the next word begins.
    private var place = 1
    private var words = 0
    private(set) var usage: TokenUsage?
    private(set) var fault: Fault?

    init(_ level: RequestKind.Verify) { self.level = level }

    mutating func received(_ data: UnsafeRawBufferPointer) -> Meaning {
        if isDone { note(.afterDone) }
        if data.count == 6, memcmp(data.baseAddress!, "[DONE]", 6) == 0 {
            isDone = true
            return .done
        }
        // An error stands in the place of choices, so it is at the beginning.
        if data.count >= 9, memcmp(data.baseAddress!, "{\"error\":", 9) == 0 {
            note(.error)
            return .frame
        }
        guard let start = JSONScan.position(after: "\"content\":\"", in: data) else {
            if let usage = TokenUsage(in: data) { self.usage = usage }
            return .frame
        }
        let text = JSONScan.string(in: data, at: start)
        guard !text.isEmpty else { return .frame }
        if level == .mock { follow(text) }
        return .content
    }

    /// The answer ended. `isWhole` is false when it was given up on purpose: only what came is judged then.
    mutating func ended(isWhole: Bool) -> Fault? {
        guard isWhole, level != .none else { return level == .none ? nil : fault }
        if !isDone { note(.noDone) }
        if level == .mock, let usage, usage.completion != words { note(.wordCount) }
        return fault
    }

    mutating func lineGrewTooLong() { note(.lineTooLong) }

    private mutating func note(_ fault: Fault) {
        if self.fault == nil { self.fault = fault }
    }

    private mutating func follow(_ text: UnsafeRawBufferPointer) {
        // An answer's first word has no space before it.
        if words == 0 { words = 1 }
        for byte in text {
            if byte != Self.ring[place] { return note(.wordOrder) }
            if byte == UInt8(ascii: " ") { words += 1 }
            place = place + 1 == Self.ring.count ? 0 : place + 1
        }
    }
}
