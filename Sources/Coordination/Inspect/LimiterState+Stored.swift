/// What the scripts store, read back: the packed integers that `KeySpace` lists.
extension ScopeState {
    /// - Returns: `nil` for what no script of this version has written.
    init?(stored bytes: [UInt8]) {
        guard let values = [Int64](littleEndian: bytes, count: 7) else { return nil }
        self.init(meter: Meter(stamp: values[0], requests: values[1], tokens: values[2]))
        (day, dayUsed, month, monthUsed) = (values[3], values[4], values[5], values[6])
        keptUntil = .max
    }
}

extension DeploymentState {
    /// - Returns: `nil` for what no script of this version has written.
    init?(stored bytes: [UInt8]) {
        guard let values = [Int64](littleEndian: bytes, count: bytes.count == 64 ? 8 : 6) else { return nil }
        self.init(meter: Meter(stamp: values[0], requests: values[1], tokens: values[2]))
        (cool, streak, probe) = (values[3], values[4], values[5])
        if values.count == 8 { (live, liveUntil) = (values[6], values[7]) }
        keptUntil = .max
    }
}

extension Slots {
    /// So many, by whomever, that do not run out.
    init(taken count: Int64) {
        self.init()
        for number in 0..<max(0, count) {
            hold(LeaseID(instance: 0, start: 0, sequence: UInt64(number)), until: .max)
        }
    }
}

extension [Int64] {
    fileprivate init?(littleEndian bytes: [UInt8], count: Int) {
        guard bytes.count == 8 * count else { return nil }
        self = (0..<count).map { index in
            var value: UInt64 = 0
            for byte in bytes[8 * index..<8 * index + 8].reversed() { value = value << 8 | UInt64(byte) }
            return Int64(bitPattern: value)
        }
    }
}
