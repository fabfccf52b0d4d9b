internal import Coordination
internal import Foundation
internal import Yams

/// What tokens cost, from a file that the operator keeps: prices change, and are not the same for everybody.
///
///     currency: EUR
///     prices:                                # for a million tokens; as decimals with six digits at most
///       gpt-4o: {input: 2.50, cached_input: 1.25, output: 10.00}
///       sweden/gpt-4o-ptu: {input: 0, output: 0}      # a deployment's goes before its model's
///       whisper: {minute: 0.006}             # of sound
///
/// Amounts are integers all the way: millionths of the currency.
package struct PriceList: Sendable, Equatable {
    struct Price: Sendable, Equatable {
        /// In millionths of the currency, for a million tokens.
        var input: Int64 = 0
        var cachedInput: Int64?
        var output: Int64 = 0
        var audioInput: Int64?
        var audioOutput: Int64?
        /// For a minute of sound.
        var minute: Int64 = 0
    }

    package let currency: String
    private let prices: [String: Price]

    /// - Throws: `UsageReportError`.
    package init(path: String) throws {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw UsageReportError("cannot read \(path)")
        }
        do {
            try self.init(text: text)
        } catch let error as UsageReportError {
            throw UsageReportError("\(path): \(error)")
        }
    }

    init(text: String) throws {
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch {
            throw UsageReportError("is no YAML: \(error)")
        }
        guard let top = node?.mapping, let currency = top["currency"]?.scalar?.string,
            let entries = top["prices"]?.mapping
        else {
            throw UsageReportError("needs the keys 'currency' and 'prices'")
        }
        for (key, _) in top where key.string != "currency" && key.string != "prices" {
            throw UsageReportError("does not know the key '\(key.string ?? "")'")
        }
        var prices: [String: Price] = [:]
        for (name, value) in entries {
            guard let name = name.string, let members = value.mapping else {
                throw UsageReportError("a price is a mapping, such as gpt-4o: {input: 2.50, output: 10}")
            }
            prices[name] = try Price(members, of: name)
        }
        self.currency = currency
        self.prices = prices
    }

    /// In millionths of the currency, rounded to the nearest; `nil` without a price.
    func cost(_ row: UsageLedgerRow) -> Int64? {
        guard let price = prices["\(row.endpoint)/\(row.deployment)"] ?? prices[row.model] else { return nil }
        func count(_ name: String) -> Int64 { max(0, row.counts[name] ?? 0) }
        let (audioIn, audioOut) = (count("ain"), count("aout"))
        let cached = count("cached")
        let amount =
            Int128(max(0, count("in") - cached - audioIn)) * Int128(price.input)
            + Int128(cached) * Int128(price.cachedInput ?? price.input)
            + Int128(audioIn) * Int128(price.audioInput ?? price.input)
            + Int128(max(0, count("out") - audioOut)) * Int128(price.output)
            + Int128(audioOut) * Int128(price.audioOutput ?? price.output)
        let tokens = (amount + 500_000) / 1_000_000
        let sound = (Int128(count("ms")) * Int128(price.minute) + 30_000) / 60_000
        return Int64(clamping: tokens + sound)
    }
}

extension PriceList.Price {
    fileprivate init(_ members: Node.Mapping, of name: String) throws {
        self.init()
        for (key, value) in members {
            guard let text = value.scalar?.string, let amount = Self.amount(text) else {
                throw UsageReportError("\(name): a price is a decimal of at most six digits behind the point")
            }
            switch key.string {
            case "input": input = amount
            case "cached_input": cachedInput = amount
            case "output": output = amount
            case "audio_input": audioInput = amount
            case "audio_output": audioOutput = amount
            case "minute": minute = amount
            default: throw UsageReportError("\(name): does not know the key '\(key.string ?? "")'")
            }
        }
    }

    /// `2.50` as 2,500,000.
    static func amount(_ text: String) -> Int64? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let fraction = parts.count == 2 ? parts[1] : "0"
        guard let whole = parts.first, (1...9).contains(whole.utf8.count), (1...6).contains(fraction.utf8.count),
            (whole + fraction).utf8.allSatisfy({ (0x30...0x39).contains($0) }), let units = Int64(whole),
            let digits = Int64(fraction + String(repeating: "0", count: 6 - fraction.utf8.count))
        else { return nil }
        return units * 1_000_000 + digits
    }
}
