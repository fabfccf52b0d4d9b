import CCurl
import Testing

@testable import Transport

@Suite("Header fields for libcurl")
struct HeaderArenaTests {
    private let arena = HeaderArena()

    /// The list as libcurl walks it.
    private var list: [String] {
        var lines: [String] = []
        var node = arena.list
        while let this = node {
            lines.append(String(cString: this.pointee.data))
            node = this.pointee.next
        }
        return lines
    }

    @Test("An empty arena has no list")
    func empty() {
        #expect(arena.list == nil)
        #expect(arena.count == 0)
        #expect(arena.lines.isEmpty)
    }

    @Test("Fields and lines stand in the list in their order")
    func order() {
        arena.add("api-key", "secret")
        arena.add(String("X-Name"), "välue")
        arena.add(line: "Expect:")
        #expect(list == ["api-key: secret", "X-Name: välue", "Expect:"])
        #expect(arena.lines == list)
        #expect(arena.count == 3)
    }

    @Test("A cleared arena begins anew")
    func clear() {
        arena.add("a", "b")
        arena.clear()
        #expect(arena.list == nil)
        arena.add("c", "d")
        #expect(list == ["c: d"])
    }

    @Test("It does not hold the memory of one large head for good")
    func givesBack() {
        for _ in 0..<3 {
            arena.add("large", String(repeating: "x", count: 60_000))
            #expect(arena.allocatedBytes > 60_000)
            arena.clear()
            #expect(arena.allocatedBytes <= 8 * 1024)
            arena.add("a", "b")
            #expect(list == ["a: b"])
            arena.clear()
        }
    }

    @Test("A field with an empty value is in the form that libcurl sends; a bare colon would keep it from sending it")
    func emptyValue() {
        arena.add("X-Static", "")
        arena.add(String("X-Dynamic"), "")
        #expect(list == ["X-Static;", "X-Dynamic;"])
    }

    @Test(
        "More fields and bytes than there was room for at first are all there",
        arguments: [23, 24, 25, 48, 49, 1000]
    )
    func growth(_ count: Int) {
        let expected = (0..<count).map { "name-\($0): " + String(repeating: "v", count: 1 + $0 % 300) }
        for line in expected {
            let parts = line.split(separator: ": ")
            arena.add(String(parts[0]), String(parts[1]))
        }
        #expect(list == expected)
        #expect(list == expected, "the list can be asked for again")
        #expect(arena.count == count)
    }

    @Test("A value around the size of the first allocation is kept whole", arguments: 2035...2055)
    func edges(_ length: Int) {
        let value = String(repeating: "x", count: length)
        arena.add("name", value)
        arena.add("next", "y")
        #expect(list == ["name: \(value)", "next: y"])
    }
}
