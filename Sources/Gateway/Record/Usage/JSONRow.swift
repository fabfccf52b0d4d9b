/// Writes one JSON object.
struct JSONRow {
    private var bytes: [UInt8]
    private var isFirst = true

    /// - Parameter bytes: what there is; the object goes behind it.
    init(bytes: [UInt8]) {
        self.bytes = bytes
        self.bytes.append(UInt8(ascii: "{"))
    }

    /// All bytes, with the object closed.
    mutating func ended() -> [UInt8] {
        bytes.append(UInt8(ascii: "}"))
        var taken: [UInt8] = []
        swap(&taken, &bytes)
        return taken
    }

    mutating func add(_ key: StaticString, _ number: Int) {
        add(key: key)
        bytes.append(contentsOf: String(number).utf8)
    }

    mutating func add(_ key: StaticString, _ truth: Bool) {
        add(key: key)
        bytes.append(contentsOf: (truth ? "true" : "false").utf8)
    }

    /// As seconds with three digits behind the point.
    mutating func add(_ key: StaticString, milliseconds: Int) {
        add(key: key)
        bytes.append(contentsOf: Self.seconds(milliseconds).utf8)
    }

    static func seconds(_ milliseconds: Int) -> String {
        let fraction = String(milliseconds % 1000)
        return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - fraction.utf8.count) + fraction
    }

    mutating func add(_ key: StaticString, _ text: String) {
        add(key: key)
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }) {
            bytes.append(UInt8(ascii: "\""))
            bytes.append(contentsOf: text.utf8)
            bytes.append(UInt8(ascii: "\""))
        } else {
            bytes.append(contentsOf: JSONText.quoted(text).utf8)
        }
    }

    /// Empty is what is not known.
    mutating func addIfKnown(_ key: StaticString, _ text: String) { if !text.isEmpty { add(key, text) } }

    mutating func addObject(_ key: StaticString, _ write: (inout Self) -> Void) {
        add(key: key)
        addNested(write)
    }

    mutating func addArray<Element>(_ key: StaticString, of all: [Element], _ write: (Element, inout Self) -> Void) {
        add(key: key)
        bytes.append(UInt8(ascii: "["))
        for (index, element) in all.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            addNested { write(element, &$0) }
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func addNested(_ write: (inout Self) -> Void) {
        var taken: [UInt8] = []
        swap(&taken, &bytes)
        var nested = Self(bytes: taken)
        taken = []
        write(&nested)
        bytes = nested.ended()
    }

    private mutating func add(key: StaticString) {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        isFirst = false
        bytes.append(UInt8(ascii: "\""))
        key.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }
}
