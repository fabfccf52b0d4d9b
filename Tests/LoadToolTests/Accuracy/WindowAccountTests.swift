import Testing

@testable import LoadTool

@Suite("The accounting of windows")
struct WindowAccountTests {
    private func span(_ from: Int64, _ to: Int64, tokens: Int = 1) -> AdmissionSpan {
        AdmissionSpan(from: from, to: to, tokens: tokens)
    }

    private func account(_ spans: [AdmissionSpan], length: Int64, end: Int64) -> WindowAccount {
        WindowAccount(spans, length: length, end: end) { $0.tokens }
    }

    @Test("counts both ends of a window")
    func ends() {
        let spans = [span(0, 0), span(10, 10), span(11, 11)]
        #expect(account(spans, length: 10, end: 100).most == 2)
        #expect(account(spans, length: 11, end: 100).most == 3)
    }

    @Test("counts for certain only what was sent and answered inside")
    func certain() {
        let spans = [span(0, 5), span(4, 12), span(6, 40)]
        #expect(account(spans, length: 12, end: 100).most == 2)
        #expect(account(spans, length: 11, end: 100).most == 1)
        #expect(account(spans, length: 40, end: 100).most == 3)
    }

    @Test("finds the emptiest window from what may have been in it")
    func least() {
        let spans = [span(0, 1), span(5, 30), span(90, 95)]
        // [31, 41] and others hold nothing.
        #expect(account(spans, length: 10, end: 100).least == 0)
        // Every window of 60 within 0...100 touches the second or the third.
        #expect(account(spans, length: 60, end: 100).least == 1)
        #expect(account(spans, length: 200, end: 100).least == 3)
    }

    @Test("says nothing was admitted when nothing was")
    func empty() {
        let account = account([], length: 10, end: 100)
        #expect(account.most == 0 && account.least == 0)
    }

    @Test("agrees with counting every window, for random spans", arguments: 0..<40)
    func bruteForce(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let end: Int64 = 60
        let spans = (0..<Int.random(in: 1...25, using: &random)).map { _ in
            let from = Int64.random(in: 0...end, using: &random)
            let to = from + Int64.random(in: 0...15, using: &random)
            return span(from, to, tokens: Int.random(in: 1...9, using: &random))
        }
        for length: Int64 in [1, 5, 10, 30] {
            let account = account(spans, length: length, end: end)
            func certain(_ start: Int64) -> Int {
                spans.filter { $0.from >= start && $0.to <= start + length }.reduce(0) { $0 + $1.tokens }
            }
            func possible(_ start: Int64) -> Int {
                spans.filter { $0.to >= start && $0.from <= start + length }.reduce(0) { $0 + $1.tokens }
            }
            #expect(account.most == (-20...end).map(certain).max())
            #expect(account.least == (0...(end - length)).map(possible).min())
            if account.mostAt > 0 { #expect(certain(account.mostAt) == account.most) }
        }
    }

    @Test("Fairness is 1 for equal parts, 1/n for one that has all")
    func jain() throws {
        #expect(JainIndex.of([3, 3, 3]) == 1)
        #expect(JainIndex.of([9, 0, 0]) == 1.0 / 3)
        let uneven = try #require(JainIndex.of([1, 2, 3]))
        #expect(abs(uneven - 36.0 / 42) < 1e-12)
        #expect(JainIndex.of([0, 0]) == nil)
        #expect(JainIndex.of([]) == nil)
    }
}
