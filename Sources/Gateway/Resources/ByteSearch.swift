internal import Glibc

extension UnsafeRawBufferPointer {
    /// Where a text stands first, letter by letter; with the C library's search for its first letter.
    func offset(of text: StaticString, from start: Int = 0) -> Int? {
        let length = text.utf8CodeUnitCount
        guard let base = baseAddress, length > 0 else { return nil }
        var at = start
        while at >= 0, at + length <= count {
            guard let found = memchr(base + at, Int32(text.utf8Start[0]), count - length - at + 1) else { return nil }
            at = UnsafeRawPointer(found) - base
            if memcmp(found, text.utf8Start, length) == 0 { return at }
            at += 1
        }
        return nil
    }
}
