/// Passes an answer on while its usage is read, and takes out the one event that the client did not ask for.
///
/// Where the gateway asked for the usage in the client's place, Azure adds an event with an empty list of choices and the
/// usage (azure.md 5.7). That event is dropped, its blank line included. `"usage":null`, which Azure then also puts into
/// every other chunk, stays: clients pass over it, and to take it out would mean to write each event anew. All else passes
/// untouched and at once; only the beginning of an event that could still become the usage is held, which is decided by
/// its first choice. An event in which that cannot be told within `mostHeld` bytes passes whole.
///
/// What is held was not sent: to the client, the stream stands between two events meanwhile.
struct UsageChunkFilter {
    private(set) var reader: UsageReader
    /// Whether the usage event is dropped; otherwise all bytes pass as they come.
    let isFiltering: Bool
    /// What earlier pieces brought of the event that is not decided on.
    private var held: [UInt8] = []
    /// The event that is being read was decided on: it passes.
    private var isPassing = false
    /// The dropped event ended with the CR of a piece: an LF at the start of the next belongs to it.
    private var dropsLF = false

    /// Bytes that are held back at most. A usage event has about 600.
    static let mostHeld = 4 * 1024

    /// - Parameters:
    ///   - reader: one that has read nothing yet.
    ///   - isFiltering: the answer is an event stream, and the gateway asked for its usage.
    init(_ reader: UsageReader, isFiltering: Bool) {
        self.reader = reader
        self.isFiltering = isFiltering
    }

    /// Bytes that wait for a decision.
    var heldBytes: Int { held.count }

    /// Takes the next bytes of the answer and hands on what the client is to get, in one piece or a few.
    mutating func pass(_ bytes: UnsafeRawBufferPointer, emit: (UnsafeRawBufferPointer) -> Void) {
        guard isFiltering else {
            // The client first: reading a whole answer takes as long as a tenth of all that its request takes.
            emit(bytes)
            return reader.read(bytes)
        }
        let beginsWithLF = reader.isBehindCR && bytes.first == 0x0A
        // Where the event begins that is being read, and the bytes that are neither handed on nor dropped.
        var event = beginsWithLF && held.isEmpty && !isPassing ? 1 : 0
        var rest = dropsLF && beginsWithLF ? 1 : 0
        if !bytes.isEmpty { dropsLF = false }
        var at = 0
        while at < bytes.count {
            if reader.readEvent(bytes, &at) {
                if reader.lastEvent == .usageOnly, !isPassing {
                    hand(bytes[rest..<event], to: emit)
                    held.removeAll(keepingCapacity: true)
                    rest = at
                    dropsLF = reader.isBehindCR
                } else {
                    release(to: emit)
                }
                isPassing = false
                event = at
            } else if !isPassing, reader.event != .ordinary, held.count + bytes.count - event <= Self.mostHeld {
                hand(bytes[rest..<event], to: emit)
                held.append(contentsOf: bytes[event...])
                return
            } else {
                release(to: emit)
                isPassing = true
            }
        }
        hand(bytes[rest...], to: emit)
    }

    /// The answer is over. What was held passes, unless it is a usage that lacks nothing but its blank line.
    mutating func finish(emit: (UnsafeRawBufferPointer) -> Void) {
        if reader.event != .usageOnly { release(to: emit) }
        held.removeAll()
    }

    private mutating func release(to emit: (UnsafeRawBufferPointer) -> Void) {
        guard !held.isEmpty else { return }
        held.withUnsafeBytes { emit($0) }
        held.removeAll(keepingCapacity: true)
    }

    private func hand(_ bytes: Slice<UnsafeRawBufferPointer>, to emit: (UnsafeRawBufferPointer) -> Void) {
        if !bytes.isEmpty { emit(UnsafeRawBufferPointer(rebasing: bytes)) }
    }
}
