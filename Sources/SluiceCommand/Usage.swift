internal import ArgumentParser
internal import Foundation
internal import Gateway

/// `sluice usage`: who used what, for chargeback.
struct Usage: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print what was used, from the counters that all replicas keep in Redis.",
        discussion: """
            Example: sluice usage --config sluice.yaml --from 2026-03-01 --to 2026-03-31 --by client,model --prices prices.yaml

            Days are UTC days; Redis keeps them for 40. A price file:

              currency: EUR
              prices:                                 # for a million tokens
                gpt-4o: {input: 2.50, cached_input: 1.25, output: 10.00}
                sweden/gpt-4o-ptu: {input: 0, output: 0}    # a deployment's goes before its model's

            Exit status: 0; 1 when Redis cannot be read or a file is not valid, with the reason on standard error.
            """
    )

    @Option(help: "The configuration file, which names the Redis.")
    var config: String?

    @Option(help: "The first day, as in 2026-03-01; without it the first of this month.")
    var from: String?

    @Option(help: "The last day; without it today.")
    var to: String?

    @Option(
        help: "What to tell apart, with commas: \(UsageReport.Column.allCases.map(\.rawValue).joined(separator: ", "))."
    )
    var by = "client,model,deployment"

    @Option(help: "\(UsageReport.Format.allCases.map(\.rawValue).joined(separator: ", ")).")
    var format = "table"

    @Option(help: "A file of prices: adds what it cost.")
    var prices: String?

    func validate() throws {
        _ = try days()
        _ = try columns()
        _ = try chosenFormat()
    }

    func run() async throws {
        let configuration = try ConfigurationSource(config).loadOrExit()
        do {
            let report = try await UsageReport.read(
                configuration,
                days: try days(),
                by: try columns(),
                prices: try prices.map { try PriceList(path: $0) }
            )
            print(report.text(try chosenFormat()), terminator: "")
        } catch let error as UsageReportError {
            FileHandle.standardError.write(Data("sluice: \(error)\n".utf8))
            throw ExitCode(1)
        }
    }

    private func chosenFormat() throws -> UsageReport.Format {
        guard let format = UsageReport.Format(rawValue: format) else {
            throw ValidationError("--format takes table, csv or json")
        }
        return format
    }

    private func columns() throws -> [UsageReport.Column] {
        try by.split(separator: ",").map { word in
            guard let column = UsageReport.Column(rawValue: String(word)) else {
                throw ValidationError("--by does not know '\(word)'")
            }
            return column
        }
    }

    private func days() throws -> ClosedRange<Int> {
        let today = Self.digits(of: Date())
        let first = try from.map { try Self.digits($0, "--from") } ?? (today / 100 * 100 + 1)
        let last = try to.map { try Self.digits($0, "--to") } ?? today
        guard first <= last else { throw ValidationError("--from is behind --to") }
        return first...last
    }

    private static func digits(_ text: String, _ option: String) throws -> Int {
        let strategy = Date.ISO8601FormatStyle(timeZone: .gmt).year().month().day()
        guard text.utf8.count == 10, let date = try? Date(text, strategy: strategy), digits(of: date) > 0 else {
            throw ValidationError("\(option) takes a day, for example 2026-03-01")
        }
        return digits(of: date)
    }

    private static func digits(of date: Date) -> Int {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let parts = calendar.dateComponents([.year, .month, .day], from: date)
        return (parts.year ?? 0) * 10_000 + (parts.month ?? 0) * 100 + (parts.day ?? 0)
    }
}
