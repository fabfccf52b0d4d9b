import Foundation
import TestSupport
import Testing

@testable import Gateway

/// `SLUICE_USAGE_CASES` of them, 100,000 if it is not set: streams and bodies that are read in pieces. `SLUICE_USAGE_SEED` chooses others.
@Suite("Any answer in any pieces", .timeLimit(.minutes(60)))
struct UsagePropertyTests {
    private static let environment: [String: String] = ProcessInfo.processInfo.environment
    private static let cases: Int = environment["SLUICE_USAGE_CASES"].flatMap { Int($0) } ?? 100_000
    private static let firstSeed: UInt64 = environment["SLUICE_USAGE_SEED"].flatMap { UInt64($0) } ?? 1
    static let seeds: [UInt64] = (0..<8).map { firstSeed &* 1_000 &+ $0 }
    /// An answer is made and read by Foundation once, and then cut in so many ways.
    private static let cuttings = 50
    private static var answers: Int { max(4, cases / (2 * seeds.count * cuttings)) }

    /// What is read beside the filter, and what comes out of it.
    private func filter(_ bytes: [UInt8], _ cuts: [Int], isFiltering: Bool) -> (UsageReader, [UInt8]) {
        var filter = UsageChunkFilter(UsageReader(.eventStream), isFiltering: isFiltering)
        var output: [UInt8] = []
        var start = 0
        for end in cuts + [bytes.count] {
            bytes[start..<end].withUnsafeBytes { filter.pass($0) { output.append(contentsOf: $0) } }
            if filter.heldBytes > UsageChunkFilter.mostHeld { Issue.record("\(filter.heldBytes) bytes held") }
            start = end
        }
        filter.finish { output.append(contentsOf: $0) }
        return (filter.reader, output)
    }

    private func expect(_ found: SlowAnswer, _ expected: SlowAnswer, _ bytes: [UInt8], _ cuts: [Int]) {
        var found = found
        if expected.isCutOff, found.textBytes > expected.textBytes { found.textBytes = expected.textBytes }
        found.isCutOff = expected.isCutOff
        guard found != expected else { return }
        Issue.record(
            "\(found) and not \(expected) from \(String(decoding: bytes, as: UTF8.self).debugDescription) cut at \(cuts)"
        )
    }

    @Test(
        "says what Foundation reads in the whole stream, and loses only the usage events where they are filtered",
        arguments: seeds
    )
    func streams(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var usages = 0
        var removed = 0
        for _ in 0..<Self.answers {
            let stream = RandomAnswer.stream(&random)
            var expected = SlowAnswer(stream: stream)
            if expected.usage != nil { usages += 1 }
            if expected.filtered.count < stream.count { removed += 1 }
            for cutting in 0..<Self.cuttings {
                let cuts = cutting == 0 ? [] : RandomAnswer.cuts(stream.count, &random)
                if cutting.isMultiple(of: 2) {
                    let (reader, output) = filter(stream, cuts, isFiltering: true)
                    expect(SlowAnswer(reader, filtered: output), expected, stream, cuts)
                } else {
                    let (reader, output) = filter(stream, cuts, isFiltering: false)
                    #expect(output == stream)
                    let filtered = expected.filtered
                    expected.filtered = []
                    expect(SlowAnswer(reader), expected, stream, cuts)
                    expected.filtered = filtered
                }
            }
        }
        #expect(usages > Self.answers / 4 && removed > Self.answers / 20, "the streams are of the kinds that matter")
    }

    @Test("says what Foundation reads in the whole body", arguments: seeds)
    func bodies(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var usages = 0
        for _ in 0..<Self.answers {
            let body = RandomAnswer.body(&random)
            let expected = SlowAnswer(body: body)
            if expected.usage != nil { usages += 1 }
            for cutting in 0..<Self.cuttings {
                let cuts = cutting == 0 ? [] : RandomAnswer.cuts(body.count, &random)
                expect(SlowAnswer(UsageReader(.json, body, cuts: cuts)), expected, body, cuts)
            }
        }
        #expect(usages > Self.answers / 4)
    }

    @Test("takes any bytes without harm, holds few of them, and makes the same of them in any pieces", arguments: seeds)
    func noise(seed: UInt64) {
        var random = SplitMix(seed: seed)
        for _ in 0..<Self.answers {
            var bytes = Bool.random(using: &random) ? RandomAnswer.stream(&random) : RandomAnswer.body(&random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                bytes = (0..<Int.random(in: 0...400, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
            case 1:
                let alphabet = Array("{}[]:,\"\\ \n\r0e-.udata: usage".utf8)
                bytes = Array("data: ".utf8) + (0..<400).map { _ in alphabet.randomElement(using: &random)! }
            default:
                for _ in 0..<Int.random(in: 1...8, using: &random) where !bytes.isEmpty {
                    let at = Int.random(in: 0..<bytes.count, using: &random)
                    if Bool.random(using: &random) {
                        bytes[at] = UInt8.random(in: 0...255, using: &random)
                    } else {
                        bytes.remove(at: at)
                    }
                }
            }
            let whole = SlowAnswer(UsageReader(.json, bytes))
            let (wholeReader, wholeOutput) = filter(bytes, [], isFiltering: true)
            let wholeStream = SlowAnswer(wholeReader, filtered: wholeOutput)
            for _ in 0..<10 {
                let cuts = RandomAnswer.cuts(bytes.count, &random)
                expect(SlowAnswer(UsageReader(.json, bytes, cuts: cuts)), whole, bytes, cuts)
                let (reader, output) = filter(bytes, cuts, isFiltering: true)
                expect(SlowAnswer(reader, filtered: output), wholeStream, bytes, cuts)
            }
        }
    }
}
