internal import Foundation

/// `budgets.json`: what `make budgets` wrote and git holds.
struct BudgetFile {
    private struct Load: Decodable {
        let per: Budget.Unit
        let budgets: [String: Double]
    }

    let budgets: [Budget]

    init() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("budgets.json")
        let loads = try JSONDecoder().decode([String: Load].self, from: Data(contentsOf: file))
        budgets = loads.sorted { $0.key < $1.key }.flatMap { name, load in
            load.budgets.sorted { $0.key < $1.key }.map { counter, amount in
                Budget(load: name, counter: counter, per: load.per, amount: amount)
            }
        }
    }
}
