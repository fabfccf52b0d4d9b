/// Cuts an event stream (WHATWG HTML, "server-sent events") into its events, in whatever pieces it comes.
///
/// Lines end with LF, CR or CRLF; an empty line ends an event. What the stream ends with before that is no event.
struct EventSplitter {
    private var event: [UInt8] = []
    private var isCut = false
    /// At the start of a line.
    private var isAtLineStart = true
    /// The last byte was a CR that ended a line; an LF belongs to it.
    private var isBehindCR = false

    /// Bytes of one event that are kept: of a longer one its beginning.
    static let mostBytes = 64 * 1024

    /// Takes the next bytes, and hands on each event that ends in them.
    mutating func split(_ bytes: UnsafeRawBufferPointer, emit: (HookEvent) -> Void) {
        for byte in bytes {
            let isLFOfCR = isBehindCR && byte == 0x0A
            isBehindCR = byte == 0x0D
            if isLFOfCR { continue }
            guard byte == 0x0A || byte == 0x0D else {
                isAtLineStart = false
                keep(byte)
                continue
            }
            if isAtLineStart { end(emit) } else { keep(0x0A) }
            isAtLineStart = true
        }
    }

    private mutating func keep(_ byte: UInt8) {
        if event.count < Self.mostBytes { event.append(byte) } else { isCut = true }
    }

    private mutating func end(_ emit: (HookEvent) -> Void) {
        guard !event.isEmpty else { return }
        if event.last == 0x0A { event.removeLast() }
        emit(HookEvent(bytes: event, isWhole: !isCut))
        event = []
        isCut = false
    }
}
