import TestSupport
import Testing

@testable import Gateway

extension MultipartModelScanner {
    fileprivate mutating func feed(_ bytes: some Sequence<UInt8>) -> Finding {
        Array(bytes).withUnsafeBytes { feed($0) }
    }

    /// The last word on a body in these pieces; what follows an `.invalid` is not fed.
    fileprivate static func verdict(_ contentType: String, _ pieces: [ArraySlice<UInt8>]) throws -> Finding {
        var scanner = try #require(MultipartModelScanner(contentType: contentType))
        var verdict = Finding.none
        for piece in pieces {
            let finding = scanner.feed(piece)
            if finding != .none { verdict = finding }
            if case .invalid = finding { break }
        }
        return verdict
    }
}

extension MultipartModelScanner.Finding {
    fileprivate var isInvalid: Bool { if case .invalid = self { true } else { false } }
}

@Suite("The model in a multipart form", .timeLimit(.minutes(5)))
struct MultipartModelScannerTests {
    private static let type = "multipart/form-data; boundary=B"
    private static let modelHead = "--B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n"

    /// Expects one verdict on a body in one piece, in two with every split, and byte by byte.
    private func expectEverywhere(
        _ contentType: String,
        _ bytes: [UInt8],
        sourceLocation: SourceLocation = #_sourceLocation,
        _ isExpected: (MultipartModelScanner.Finding) -> Bool
    ) throws {
        let whole = try MultipartModelScanner.verdict(contentType, [bytes[...]])
        #expect(isExpected(whole), "in one piece: \(whole)", sourceLocation: sourceLocation)
        for split in 0...bytes.count {
            let verdict = try MultipartModelScanner.verdict(contentType, [bytes[..<split], bytes[split...]])
            if !isExpected(verdict) {
                Issue.record("split at \(split): \(verdict)", sourceLocation: sourceLocation)
            }
        }
        let single = try MultipartModelScanner.verdict(contentType, bytes.indices.map { bytes[$0...$0] })
        #expect(isExpected(single), "byte by byte: \(single)", sourceLocation: sourceLocation)
    }

    @Test("is found at its place however the body is cut", arguments: MultipartBody.all)
    func corpus(body: MultipartBody) throws {
        let expected = body.model.map { MultipartModelScanner.Finding.model($0, range: body.modelRange) } ?? .none
        try expectEverywhere(body.contentType, body.bytes) { $0 == expected }
    }

    @Test("stands once: a second one, even the same and even late, makes the body invalid")
    func twice() throws {
        let file =
            "--B\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n" + String(repeating: "x", count: 100) + "\r\n"
        let body = Self.modelHead + "m\r\n" + file + Self.modelHead + "m\r\n--B--\r\n"
        try expectEverywhere(Self.type, Array(body.utf8)) { $0 == .invalid("the field 'model' stands more than once") }
    }

    @Test("is at most 256 bytes of UTF-8")
    func badValue() throws {
        let long = Self.modelHead + String(repeating: "m", count: 257) + "\r\n--B--"
        try expectEverywhere(Self.type, Array(long.utf8)) { $0.isInvalid }
        let endless = Self.modelHead + String(repeating: "m", count: 600)
        try expectEverywhere(Self.type, Array(endless.utf8)) { $0.isInvalid }
        let bytes = Array(Self.modelHead.utf8) + [0x6D, 0xC3, 0x28] + Array("\r\n--B--".utf8)
        try expectEverywhere(Self.type, bytes) { $0.isInvalid }
    }

    @Test(
        "is not looked for behind a part's head of more than 8 KiB, however the body is cut",
        arguments: [8_100, 8_190, 8_300, 20_000]
    )
    func longHead(length: Int) throws {
        let head = "\r\nX: " + String(repeating: "x", count: length - 5)
        let bytes = Array(("--B" + head + "\r\n\r\n\r\n" + Self.modelHead + "m\r\n--B--").utf8)
        let isTooLong = length + 3 > 8 * 1024
        var verdicts = [try MultipartModelScanner.verdict(Self.type, [bytes[...]])]
        verdicts.append(try MultipartModelScanner.verdict(Self.type, bytes.indices.map { bytes[$0...$0] }))
        for split in stride(from: 8_000, to: bytes.count, by: 7) {
            verdicts.append(try MultipartModelScanner.verdict(Self.type, [bytes[..<split], bytes[split...]]))
        }
        for verdict in verdicts where verdict.isInvalid != isTooLong { Issue.record("\(verdict)") }
    }

    @Test("is found behind 5 MB of a file without holding on to it", arguments: [1_000, 65_536])
    func memory(pieceLength: Int) throws {
        var random = SplitMix(seed: 31)
        var file = [UInt8](repeating: 0x78, count: 5 << 20)
        for _ in 0..<20_000 {
            let at = Int.random(in: 0..<(file.count - 8), using: &random)
            file.replaceSubrange(at..<(at + 5), with: Array("\r\n--A".utf8))
        }
        let start = Array("--B\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n".utf8)
        let body = start + file + Array(("\r\n" + Self.modelHead + "whisper-1\r\n--B--\r\n").utf8)
        var scanner = try #require(MultipartModelScanner(contentType: Self.type))
        var findings: [MultipartModelScanner.Finding] = []
        var mostHeld = 0
        for at in stride(from: 0, to: body.count, by: pieceLength) {
            let finding = scanner.feed(body[at..<min(at + pieceLength, body.count)])
            if finding != .none { findings.append(finding) }
            mostHeld = max(mostHeld, scanner.heldBytes)
        }
        let modelAt = body.count - "whisper-1\r\n--B--\r\n".utf8.count
        #expect(findings == [.model("whisper-1", range: modelAt..<(modelAt + 9))])
        #expect(mostHeld <= 128)
    }

    @Test("leaves nothing held when it is told of an endless head, nor behind the end of the form")
    func heldAtMost() throws {
        var scanner = try #require(MultipartModelScanner(contentType: Self.type))
        #expect(scanner.feed("--B\r\nX: ".utf8) == .none)
        var finding = MultipartModelScanner.Finding.none
        var mostHeld = 0
        while finding == .none, mostHeld < 100_000 {
            finding = scanner.feed(repeatElement(0x78, count: 100))
            mostHeld = max(mostHeld, scanner.heldBytes)
        }
        #expect(finding == .invalid("a part's head is too long"))
        #expect(mostHeld <= 8 * 1024 + 100)

        var ended = try #require(MultipartModelScanner(contentType: Self.type))
        #expect(ended.feed("--B--\r\n".utf8) == .none)
        #expect(ended.feed(repeatElement(0x78, count: 1_000_000)) == .none)
        #expect(ended.heldBytes == 0)
    }

    @Test(
        "needs a boundary of 1 to 70 printable characters",
        arguments: [
            "multipart/form-data", "multipart/form-data; boundary", "multipart/form-data; boundary=", "",
            "multipart/form-data; boundary=\"\"", "multipart/form-data; boundary=   ",
            "multipart/form-data; boundaries=x",
            "multipart/form-data; boundary=h\u{F6}he", "multipart/form-data; boundary=\"a\tb\"",
            "multipart/form-data; boundary=\(String(repeating: "b", count: 71))", "multipart/form-data, boundary=x",
            "multipart/form-data; x=\"; boundary=b\"",
        ]
    )
    func noBoundary(contentType: String) {
        #expect(MultipartModelScanner(contentType: contentType) == nil)
    }

    @Test(
        "needs no more than a boundary",
        arguments: [
            "multipart/form-data;boundary=x", "boundary=y;boundary=x", ";boundary=\"x\"",
            "a;x;y=\"\\\"\";Boundary = x;z",
            "multipart/form-data; boundary=\(String(repeating: "b", count: 70))", "a;boundary=\"unclosed",
        ]
    )
    func boundary(contentType: String) {
        #expect(MultipartModelScanner(contentType: contentType) != nil)
    }

    /// Bodies in which readers that differ on what a delimiter or a head is see different models. `hidden` is the one that
    /// a strict reader sees.
    static let ambiguous: [(String, String)] = [
        (
            "text behind a delimiter opens a head that swallows the next delimiter",
            "--BX\r\nContent-Disposition: form-data; name=a\r\n" + modelHead + "hidden\r\n--B--"
        ),
        (
            "text behind a closing delimiter",
            "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--B--X\r\n" + modelHead + "hidden\r\n--B--"
        ),
        (
            "a delimiter inside a part's head",
            "--B\r\nContent-Disposition: form-data; name=a\r\n" + modelHead + "hidden\r\n--B--"
        ),
        (
            "a folded line of a part's head",
            "--B\r\nContent-Disposition: form-data;\r\n name=\"model\"\r\n\r\nhidden\r\n--B--"
        ),
        (
            "two Content-Dispositions in a part's head",
            "--B\r\nContent-Disposition: form-data; name=a\r\n" + modelHead.dropFirst(4) + "hidden\r\n--B--"
        ),
        (
            "two names of a part",
            "--B\r\nContent-Disposition: form-data; name=a; name=\"model\"\r\n\r\nhidden\r\n--B--"
        ),
        (
            "lines that end with LF alone",
            "--B\nContent-Disposition: form-data; name=\"model\"\n\nhidden\n--B--\n"
        ),
    ]

    @Test("cannot be hidden from the gateway by a body that readers disagree on", arguments: ambiguous)
    func ambiguity(what: String, body: String) throws {
        let finding = try MultipartModelScanner.verdict(Self.type, [Array(body.utf8)[...]])
        let isSafe = if case .model("hidden", _) = finding { true } else { finding.isInvalid }
        #expect(isSafe, "\(what): \(finding)")
    }
}
