extension BrokenConfiguration {
    static let models: [BrokenConfiguration] = [
        BrokenConfiguration(
            "more deployments than an admission can choose from",
            """
            models:
              - name: m
                deployments: [\((1...17).map { "{endpoint: e, deployment: d\($0)}" }.joined(separator: ", "))]
            """,
            errors: """
                3:18: 'deployments' has 17 entries; a model can have at most 16
                """
        ),
        BrokenConfiguration(
            "a deployment twice in a model",
            """
            models:
              - name: m
                deployments:
                  - {endpoint: e, deployment: d}
                  - {endpoint: e, deployment: d, tier: 2}
            """,
            errors: """
                5:9: an entry of 'deployments' is the deployment of line 4 again; list it once
                """
        ),
        BrokenConfiguration(
            "a deployment that two models describe differently",
            """
            models:
              - {name: m, deployments: [{endpoint: e, deployment: d, limits: {tokens_per_minute: 20k}}]}
              - {name: n, deployments: [{endpoint: e, deployment: d, limits: {tokens_per_minute: 30k}}]}
              - {name: o, deployments: [{endpoint: e, deployment: d, weight: 2}]}
              - {name: p, deployments: [{endpoint: e, deployment: d, weight: 2, limits: {tokens_per_minute: 20000}}]}
            """,
            errors: """
                3:29: this deployment has another 'kind', 'limits' or 'probe' on line 2; write the same in both places
                4:29: this deployment has another 'kind', 'limits' or 'probe' on line 2; write the same in both places
                """
        ),
        BrokenConfiguration(
            "a deployment with wrong values",
            """
            models:
              - name: m
                default_output_tokens: 0
                deployments:
                  - endpoint: e
                    deployment: d
                    kind: provisoned
                    tier: 0
                    weight: 1.5
                    non_streaming_fraction: 1.2
                    open_to_priority: 10
                    probe: yes
                queue: {max_wait: 6m}
            """,
            errors: """
                3:28: 'default_output_tokens' must be from 1 to 10,000,000; found '0'
                7:15: 'kind' must be one of standard, provisioned; found 'provisoned'; did you mean 'provisioned'?
                8:15: 'tier' must be from 1 to 100; found '0'
                9:17: 'weight' must come out as a whole number; found '1.5'
                10:33: 'non_streaming_fraction' must be a number from 0 to 1, such as 0.25; found '1.2'
                11:27: 'open_to_priority' must be from 0 to 9; found '10'
                12:16: 'probe' must be true or false; found 'yes'
                13:23: 'max_wait' must be from 0s to 5m; found '6m'
                """
        ),
        BrokenConfiguration(
            "fractions that are none",
            """
            models:
              - name: m
                deployments:
                  - {endpoint: e, deployment: a, non_streaming_fraction: -0.5}
                  - {endpoint: e, deployment: b, non_streaming_fraction: .5}
                  - {endpoint: e, deployment: c, non_streaming_fraction: 20%}
                  - {endpoint: e, deployment: d, non_streaming_fraction: 1e-1}
                  - {endpoint: e, deployment: f, non_streaming_fraction: 0.1234567}
            """,
            errors: """
                4:62: 'non_streaming_fraction' must be a number from 0 to 1, such as 0.25; found '-0.5'
                5:62: 'non_streaming_fraction' must be a number from 0 to 1, such as 0.25; found '.5'
                6:62: 'non_streaming_fraction' must be a number from 0 to 1, such as 0.25; found '20%'
                7:62: 'non_streaming_fraction' must be a number from 0 to 1, such as 0.25; found '1e-1'
                8:62: 'non_streaming_fraction' must be a number from 0 to 1, such as 0.25; found '0.1234567'
                """
        ),
        BrokenConfiguration(
            "a quota by the day of a deployment",
            """
            models: [{name: m, deployments: [{endpoint: e, deployment: d, limits: {tokens_per_day: 1M}}]}]
            """,
            errors: """
                1:72: unknown key 'tokens_per_day'; known here: requests_per_minute, tokens_per_minute, \
                concurrent_requests, shadow
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
        BrokenConfiguration(
            "a name for the deployment of every other model",
            """
            models: [{name: "*", deployments: [{endpoint: e, deployment: d}, {endpoint: e}]}]
            """,
            errors: """
                1:50: 'deployment' has no place in the model '*', which goes on under the name asked for
                """
        ),
    ]
}
