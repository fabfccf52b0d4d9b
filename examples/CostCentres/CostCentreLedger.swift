internal import Gateway

/// What was used by cost centre, client and model: shared by all exchanges, so it is an actor.
package actor CostCentreLedger {
    package struct Account: Hashable, Sendable {
        package let centre: String
        package let client: String
        package let model: String

        package init(centre: String, client: String, model: String) {
            self.centre = centre
            self.client = client
            self.model = model
        }
    }

    package struct Balance: Equatable, Sendable {
        package var requests = 0
        package var input = 0
        package var output = 0
    }

    package private(set) var balances: [Account: Balance] = [:]

    package init() {}

    func book(_ usage: TokenUsage, on centre: String, client: String, model: String) {
        let account = Account(centre: centre, client: client, model: model)
        balances[account, default: Balance()].requests += 1
        balances[account, default: Balance()].input += usage.input
        balances[account, default: Balance()].output += usage.output
    }

    /// `cost_centre,client,model,requests,input_tokens,output_tokens`, with a line for each account, by name.
    package var csv: String {
        let rows = balances.map { account, balance in
            "\(account.centre),\(account.client),\(account.model),\(balance.requests),\(balance.input),\(balance.output)\n"
        }
        return "cost_centre,client,model,requests,input_tokens,output_tokens\n" + rows.sorted().joined()
    }
}
