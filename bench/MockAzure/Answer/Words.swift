import NIOCore

/// The words every answer is made of: always the same ones in the same order, so a client can tell what is missing.
///
/// A word is a token is a delta. None needs escaping in JSON, and each but the first of an answer follows a space.
struct Words {
    /// ASCII words.
    static let plain = Words(
        """
        The gateway passed this answer on and every word of it arrived in order without any loss or change so the \
        reader may count them one by one until the last
        """
    )

    /// Words of one to four bytes per character, with marks and emoji that are several characters in one.
    static let multibyte = Words("Grüße naïve Привет 日本語 😀 नमस्ते é 👩‍👩‍👧‍👦 ﷺ 한국어 𝒳 Ελλάδα 🏳️‍🌈 שלום żółć ✓")

    private let words: [[UInt8]]

    private init(_ text: String) {
        self.words = text.split(separator: " ").map { Array(" \($0)".utf8) }
    }

    /// Writes the word at `index`; `size` pads or cuts it to just so many bytes, never inside a character.
    func write(_ index: Int, size: Int?, into buffer: inout ByteBuffer) {
        let word = self.words[index % self.words.count]
        let text = index == 0 ? word.dropFirst() : word[...]
        guard let size else {
            buffer.writeBytes(text)
            return
        }
        var kept = text.prefix(size)
        // A cut before a continuation byte (10xxxxxx) would leave half a character.
        while kept.endIndex < text.endIndex, text[kept.endIndex] & 0xC0 == 0x80 { kept = kept.dropLast() }
        buffer.writeBytes(kept)
        buffer.writeRepeatingByte(UInt8(ascii: "."), count: size - kept.count)
    }
}
