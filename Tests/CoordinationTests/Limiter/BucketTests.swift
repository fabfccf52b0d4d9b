import Testing

@testable import Coordination

struct BucketTests {
    private let bucket = Bucket(Make.rate(60, burst: 10))

    @Test("A limit per minute is the refill in units per millisecond")
    func refill() {
        #expect(bucket.refilled(0, elapsed: 0) == 0)
        #expect(bucket.refilled(0, elapsed: 1) == 60)
        #expect(bucket.refilled(0, elapsed: 9999) == 599_940)
        #expect(bucket.refilled(0, elapsed: 10_000) == 600_000)
        #expect(bucket.refilled(0, elapsed: 10_001) == 600_000)
        #expect(bucket.refilled(599_999, elapsed: 1) == 600_000)
    }

    @Test("No time is too long and no limit too high for the sum")
    func noOverflow() {
        let largest = Bucket(Make.rate(Rate.most, burst: Rate.mostBurst))
        #expect(largest.refilled(-10 * largest.capacity, elapsed: .max) == largest.capacity)
        #expect(11 * largest.capacity < Bucket.full)
        #expect(largest.debited(-10 * largest.capacity, tokens: Admission.mostTokens) == -10 * largest.capacity)
    }

    @Test("A lowered limit takes effect at once, a raised one fills up")
    func changedLimit() {
        #expect(Bucket(Make.rate(60, burst: 5)).refilled(600_000, elapsed: 0) == 300_000)
        #expect(Bucket(Make.rate(60, burst: 20)).refilled(600_000, elapsed: 10) == 600_600)
    }

    @Test(
        "After the wait there is enough, and a millisecond before there is not",
        arguments: [1, 7, 60, 999, 1_000_003]
    )
    func waitIsExact(perMinute: Int64) {
        let bucket = Bucket(Make.rate(perMinute))
        for level in [bucket.capacity - 1, 59_999, 1, 0, -1, -60_000, -3 * bucket.capacity] {
            for tokens in [1, 2, perMinute, perMinute + 1] {
                let wait = bucket.wait(level, tokens: tokens)
                let needed = min(tokens * Bucket.unit, bucket.capacity)
                #expect((wait == 0) == (level >= needed))
                #expect(bucket.refilled(level, elapsed: wait) >= needed)
                if wait > 0 { #expect(bucket.refilled(level, elapsed: wait - 1) < needed) }
            }
        }
    }

    @Test("More than the bucket holds is had from a full one, and all of it is owed")
    func oversize() {
        #expect(bucket.wait(600_000, tokens: 50) == 0)
        #expect(bucket.wait(599_999, tokens: 50) == 1)
        #expect(bucket.debited(600_000, tokens: 50) == -2_400_000)
    }

    @Test("Debt ends at ten bursts, and what is put back at the brim")
    func clamps() {
        #expect(bucket.debited(600_000, tokens: 1_000_000) == -6_000_000)
        #expect(bucket.debited(590_000, tokens: -1) == 600_000)
        #expect(bucket.debited(-6_000_000, tokens: -1) == -5_940_000)
    }

    @Test("What a deployment says is left lowers the level and never raises it")
    func lowered() {
        #expect(bucket.lowered(600_000, remaining: 3) == 180_000)
        #expect(bucket.lowered(-5, remaining: 3) == -5)
    }

    @Test("The time to full is when the level stops growing", arguments: [600_000, 599_999, 0, -1, -6_000_000])
    func timeToFull(level: Int64) {
        let time = bucket.timeToFull(from: level)
        #expect(bucket.refilled(level, elapsed: time) == 600_000)
        if time > 0 { #expect(bucket.refilled(level, elapsed: time - 1) < 600_000) }
    }

    @Test(
        "Limits out of range are none",
        arguments: [(0, 1), (1, 0), (-1, 1), (Rate.most + 1, 1), (1, Rate.mostBurst + 1)] as [(Int64, Int64)]
    )
    func ranges(perMinute: Int64, burst: Int64) {
        #expect(Rate(perMinute: perMinute, burst: burst) == nil)
    }

    @Test("Without a burst it is a minute's worth")
    func burst() {
        #expect(Rate(perMinute: 600)?.burst == 600)
        #expect(Rate(perMinute: Rate.most)?.burst == Rate.mostBurst)
    }
}

struct MeterTests {
    private let rate = Make.rate(60, burst: 10)

    @Test("A clock that goes back refills nothing until it has caught up")
    func clockGoesBack() {
        var meter = Meter(stamp: 100_000, requests: 0, tokens: 0)
        meter.refill(now: 99_000, requests: rate, tokens: rate)
        #expect(meter == Meter(stamp: 100_000, requests: 0, tokens: 0))
        #expect(meter.waitForRequest(now: 99_000, rate: rate) == 2000)
        meter.refill(now: 100_500, requests: rate, tokens: rate)
        #expect(meter == Meter(stamp: 100_500, requests: 30_000, tokens: 30_000))
    }

    @Test("A clock that goes back two minutes and more is believed")
    func rebase() {
        var meter = Meter(stamp: 1_000_000, requests: 0, tokens: 0)
        #expect(meter.rebase(now: 880_000) == nil)
        #expect(meter.rebase(now: 879_999) == 120_001)
        #expect(meter == Meter(stamp: 879_999, requests: 0, tokens: 0))
    }

    @Test("Without a limit a level stays as it is, and full when there is one again")
    func unlimited() {
        var meter = Meter(now: 0, requests: nil, tokens: nil)
        meter.refill(now: 1000, requests: nil, tokens: nil)
        meter.debit(tokens: 5, requests: nil, tokens: nil, isShadow: false)
        #expect(meter.levels == Levels(requests: Bucket.full, tokens: Bucket.full))
        meter.refill(now: 1000, requests: rate, tokens: nil)
        #expect(meter.requests == 600_000)
    }
}

struct UTCDateTests {
    @Test(
        "Days and months are those of the calendar",
        arguments: [
            (0, 19_700_101), (951_782_399_999, 20_000_228), (951_782_400_000, 20_000_229),
            (951_868_800_000, 20_000_301), (1_774_000_000_000, 20_260_320), (4_107_542_400_000, 21_000_301),
            (1_767_225_599_999, 20_251_231), (1_767_225_600_000, 20_260_101),
        ] as [(Int64, Int)]
    )
    func digits(time: Int64, digits: Int) {
        #expect(UTCDate.digits(of: time) == digits)
    }

    @Test("A month starts where its number changes")
    func months() {
        for month in UTCDate.month(of: 0)..<UTCDate.month(of: 0) + 2400 {
            let start = UTCDate.start(ofMonth: month + 1)
            #expect(UTCDate.month(of: start) == month + 1)
            #expect(UTCDate.month(of: start - 1) == month)
            #expect(UTCDate.digits(of: start) % 100 == 1)
        }
    }
}
