import Testing

@testable import Coordination

struct ScriptDecoderTests {
    private let admission = Make.admission(
        1,
        [Make.scope(ClientLimits(tokens: Make.rate(10)))],
        on: [Make.candidate("a"), Make.candidate("b")]
    )

    private func reply(_ integers: [Int64]) -> RESPReply { .array(integers.map { .integer($0) }) }

    @Test("Replies become the values that the machine answers with")
    func wellFormed() throws {
        let admitted = try ScriptDecoder.decision(admission, reply([0, 5, 1, 1, -6, 7, 8, 9, 250]))
        #expect(
            admitted.reservation
                == Reservation(
                    candidate: 1,
                    isProbe: true,
                    time: 5,
                    authority: .shared,
                    levels: [Levels(requests: 8, tokens: 9)],
                    deployment: Levels(requests: -6, tokens: 7),
                    cooldowns: [250]
                )
        )
        let client = try ScriptDecoder.decision(admission, reply([4, 5, 99, 0, 3, 8, 9])).refusal
        #expect(client?.reason == .client(scope: 0, .tokensPerDay) && client?.wait == 99)
        let none = try ScriptDecoder.decision(admission, reply([3, 5, 99, 8, 9, 0, 99])).refusal
        #expect(none?.reason == .deployments && none?.cooldowns == [0, 99])
        #expect(try ScriptDecoder.decision(admission, reply([6, 5])) == .duplicate)
    }

    @Test(
        "A reply of another shape is an error",
        arguments: [
            [], [0], [6], [6, 5, 1], [7, 5], [5, 5], [-1, 5], [0, 5, 2, 0, 0, 0, 0, 0, 0, 0], [0, 5, 0, 2, 0, 0, 0, 0],
            [0, 5, 0, 0, 0, 0, 0], [0, 5, 0, 0, 0, 0, 0, 0, 0], [1, 5, 0, 0, 1, 0, 0], [1, 5, 1, 1, 1, 0, 0],
            [1, 5, 1, 0, 5, 0, 0], [2, 5, 1, 0, 1, 0, 0], [4, 5, 1, 0, 6, 0, 0], [3, 5, 1, 0, 0, 0], [6, -5],
            [3, 5, 1, 0, 0, -1, 0], [1, 5, .max, .min, 1, 0, 0],
        ] as [[Int64]]
    )
    func malformed(integers: [Int64]) {
        #expect(throws: ScriptDecoder.UnexpectedReply.self) { try ScriptDecoder.decision(admission, reply(integers)) }
    }

    @Test("What is not an array of integers is an error")
    func otherTypes() {
        for reply in [.null, .integer(3), .string([]), .error([]), .array([.string([48]), .integer(5)])] as [RESPReply]
        {
            #expect(throws: ScriptDecoder.UnexpectedReply.self) { try ScriptDecoder.decision(admission, reply) }
            #expect(throws: ScriptDecoder.UnexpectedReply.self) { try ScriptDecoder.outcome(reply) }
        }
    }

    @Test("A reply about a client's limit where no client limits were sent is an error, and no trap")
    func noScopes() {
        let admission = Make.admission(1)
        #expect(throws: ScriptDecoder.UnexpectedReply.self) {
            try ScriptDecoder.decision(admission, reply([1, 5, 1, 0, 1]))
        }
        let beat = Beat(instance: 1, leases: [])
        #expect(throws: ScriptDecoder.UnexpectedReply.self) { try ScriptDecoder.outcome(beat, reply([0, 5, 1, 0, 0])) }
        #expect(throws: ScriptDecoder.UnexpectedReply.self) { try ScriptDecoder.outcome(beat, reply([0, 5, 1, 1])) }
    }
}
