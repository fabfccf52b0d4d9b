extension BrokenConfiguration {
    static let models: [BrokenConfiguration] = [
        BrokenConfiguration(
            "several deployments",
            """
            models:
              - name: m
                deployments:
                  - {endpoint: e, deployment: d}
                  - {endpoint: e, deployment: f}
            """,
            errors: """
                4:7: 'deployments' has 2 entries; routing over several deployments is not supported yet, so keep one
                """
        ),
        BrokenConfiguration(
            "no models and no deployments",
            """
            models: [{name: m, deployments: []}, {name: n}]
            """,
            errors: """
                1:33: 'deployments' is an empty list; give it an entry or remove the key
                1:38: missing key 'deployments': every model needs it
                """
        ),
        BrokenConfiguration(
            "an endpoint that is not declared",
            """
            models: [{name: m, deployments: [{endpoint: swden, deployment: d}]}]
            endpoints: [{name: sweden, url: "https://h"}]
            """,
            errors: """
                1:45: there is no endpoint 'swden' in 'endpoints'; did you mean 'sweden'?
                """
        ),
        BrokenConfiguration(
            "two models of one name",
            """
            models:
              - {name: m, deployments: [{endpoint: e, deployment: d}]}
              - {name: m, deployments: [{endpoint: e, deployment: d}]}
            """,
            errors: """
                3:12: the model 'm' is already declared on line 2; names must be unique
                """
        ),
        BrokenConfiguration(
            "a deployment that is no name",
            """
            models: [{name: m, deployments: [{endpoint: e, deployment: a/b}]}]
            """,
            errors: """
                1:60: 'deployment' must be 1 to 64 letters, digits, '.', '_' or '-'; found 'a/b'
                """
        ),
    ]
}
