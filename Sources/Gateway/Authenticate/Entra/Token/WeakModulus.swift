/// What can be told of an RSA modulus by small primes alone.
enum WeakModulus {
    /// Whether it is divisible by a small prime, or carries the fingerprint of CVE-2017-15361 (ROCA): then it is a power of
    /// 65537 modulo every small prime, which an honest modulus is by a chance below 2 to the -27.
    static func isWeak(_ modulus: [UInt8]) -> Bool {
        var isROCA = true
        for prime in primes {
            let rest = remainder(modulus, prime)
            if rest == 0 { return true }
            if prime > 2, isROCA { isROCA = isPowerOf65537(rest, modulo: prime) }
        }
        return isROCA
    }

    private static func remainder(_ number: [UInt8], _ prime: Int) -> Int {
        number.reduce(0) { ($0 << 8 | Int($1)) % prime }
    }

    private static func isPowerOf65537(_ rest: Int, modulo prime: Int) -> Bool {
        let generator = 65537 % prime
        var power = generator
        while power != 1 {
            if power == rest { return true }
            power = power * generator % prime
        }
        return rest == 1
    }

    /// Those of the published test for ROCA, and 2.
    private static let primes: [Int] = (2...167).filter { number in
        !(2..<number).contains { number.isMultiple(of: $0) }
    }
}
