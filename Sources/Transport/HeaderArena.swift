internal import CCurl

/// Header fields in the form that libcurl reads them: a linked list of C strings, in two allocations that are kept.
///
/// libcurl only reads a header list and never frees it (CURLOPT_HTTPHEADER(3)), so the nodes can live in one block and
/// the strings in another.
package final class HeaderArena {
    private var text: UnsafeMutableBufferPointer<CChar>
    private var length = 0
    private var starts: [Int] = []
    private var nodes: UnsafeMutablePointer<curl_slist>
    private var capacity: Int

    private static let firstBytes = 512
    /// Bytes of text that it may hold between two requests.
    private static let keptBytes = 8 * 1024

    package init() {
        text = .allocate(capacity: Self.firstBytes)
        capacity = 16
        nodes = .allocate(capacity: capacity)
        starts.reserveCapacity(capacity)
    }

    deinit {
        text.deallocate()
        nodes.deallocate()
    }

    package var count: Int { starts.count }
    /// Of the text that there is room for.
    var allocatedBytes: Int { text.count }

    package func clear() {
        if text.count > Self.keptBytes {
            text.deallocate()
            text = .allocate(capacity: Self.firstBytes)
        }
        length = 0
        starts.removeAll(keepingCapacity: true)
    }

    /// Adds a field. Name and value hold no CR, LF or NUL: the caller has checked what a peer sent.
    package func add(_ name: StaticString, _ value: String) {
        begin()
        name.withUTF8Buffer { append($0) }
        append(value.isEmpty ? emptyMark : separator)
        appendUTF8(value)
        end()
    }

    package func add(_ name: String, _ value: String) {
        begin()
        appendUTF8(name)
        append(value.isEmpty ? emptyMark : separator)
        appendUTF8(value)
        end()
    }

    /// Adds a line as it stands, "Name: value", or "Name:" to keep libcurl from sending a field of its own.
    package func add(line: StaticString) {
        begin()
        line.withUTF8Buffer { append($0) }
        end()
    }

    /// The list for libcurl; valid until the next change.
    var list: UnsafeMutablePointer<curl_slist>? {
        guard !starts.isEmpty else { return nil }
        if starts.count > capacity {
            nodes.deallocate()
            capacity = starts.count * 2
            nodes = .allocate(capacity: capacity)
        }
        for index in starts.indices {
            let last = index == starts.count - 1
            nodes[index] = curl_slist(data: text.baseAddress! + starts[index], next: last ? nil : nodes + index + 1)
        }
        return nodes
    }

    private var separator: UnsafeBufferPointer<UInt8> {
        let text: StaticString = ": "
        return UnsafeBufferPointer(start: text.utf8Start, count: 2)
    }

    /// libcurl sends "Name;" as a field without value, and takes "Name:" for an order not to send it.
    private var emptyMark: UnsafeBufferPointer<UInt8> {
        let text: StaticString = ";"
        return UnsafeBufferPointer(start: text.utf8Start, count: 1)
    }

    private func begin() { starts.append(length) }

    private func end() {
        reserve(1)
        text[length] = 0
        length += 1
    }

    private func appendUTF8(_ string: String) {
        // `withUTF8` wants a variable of its own: a copy that is counted.
        string.utf8.span.withUnsafeBufferPointer { append($0) }
    }

    private func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        reserve(bytes.count + 1)
        UnsafeMutableRawPointer(text.baseAddress! + length).copyMemory(
            from: bytes.baseAddress ?? UnsafePointer(bitPattern: 1)!,
            byteCount: bytes.count
        )
        length += bytes.count
    }

    private func reserve(_ count: Int) {
        guard length + count > text.count else { return }
        let larger = UnsafeMutableBufferPointer<CChar>.allocate(capacity: max(text.count * 2, length + count))
        _ = larger.update(fromContentsOf: text[..<length])
        text.deallocate()
        text = larger
    }
}

extension HeaderArena {
    /// The fields as lines, for tests and logs of configuration problems; never for a request's log line.
    package var lines: [String] { starts.map { String(cString: text.baseAddress! + $0) } }
}
