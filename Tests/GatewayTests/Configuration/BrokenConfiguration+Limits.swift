extension BrokenConfiguration {
    static let limits: [BrokenConfiguration] = [
        BrokenConfiguration(
            "limits beyond what can be counted",
            """
            clients:
              - name: a
                api_keys: [aaaaaaaa]
                limits:
                  requests_per_minute: 151G
                  tokens_per_minute: 150.1G
                  concurrent_requests: 2M
                  tokens_per_day: 1000001G
                  tokens_per_month: 99999999999999999999
                burst: {requests: 13.1G, tokens: 0}
            """,
            errors: """
                5:28: 'requests_per_minute' must be from 0 to 150,000,000,000; found '151G'
                6:26: 'tokens_per_minute' must be from 0 to 150,000,000,000; found '150.1G'
                7:28: 'concurrent_requests' must be from 0 to 1,000,000; found '2M'
                8:23: 'tokens_per_day' must be from 0 to 1,000,000,000,000,000; found '1000001G'
                9:25: 'tokens_per_month' must be from 0 to 1,000,000,000,000,000; found '99999999999999999999'
                10:23: 'requests' must be from 1 to 13,000,000,000; found '13.1G'
                10:38: 'tokens' must be from 1 to 13,000,000,000; found '0'
                """
        ),
        BrokenConfiguration(
            "limits that are no amounts",
            """
            clients:
              - name: a
                api_keys: [aaaaaaaa]
                limits: {tokens_per_minute: 20 k, requests_per_minute: none, concurrent_requests: -1, tokens_per_day: 20K}
            """,
            errors: """
                4:33: 'tokens_per_minute' must be a number such as 100, 20k or 1.5M; found '20 k'
                4:60: 'requests_per_minute' must be a number such as 100, 20k or 1.5M; found 'none'
                4:87: 'concurrent_requests' must be a number such as 100, 20k or 1.5M; found '-1'
                4:107: 'tokens_per_day' must be a number such as 100, 20k or 1.5M; found '20K'
                """
        ),
        BrokenConfiguration(
            "a limit under another gateway's name",
            """
            clients: [{name: a, api_keys: [aaaaaaaa], limits: {token_per_minutes: 1, rpm: 1}}]
            """,
            errors: """
                1:52: unknown key 'token_per_minutes'; did you mean 'tokens_per_minute'?
                1:74: unknown key 'rpm'; known here: requests_per_minute, tokens_per_minute, concurrent_requests, \
                tokens_per_day, tokens_per_month, shadow
                """
        ),
        BrokenConfiguration(
            "a shadow that is neither on nor off, misspelt or in the wrong place",
            """
            clients:
              - name: a
                api_keys: [aaaaaaaa]
                limits: {requests_per_minute: 1, shadow: maybe}
                model_limits: {"*": {tokens_per_minute: 1, shadowed: true}}
                shadow: true
            """,
            errors: """
                4:46: 'shadow' must be true or false; found 'maybe'
                5:48: unknown key 'shadowed'; did you mean 'shadow'?
                6:5: unknown key 'shadow'; known here: name, api_keys, entra, any_bearer_token, models, priority, limits, \
                model_limits, burst
                """
        ),
        BrokenConfiguration(
            "a burst beside no limit",
            """
            clients:
              - {name: a, api_keys: [aaaaaaaa], burst: {requests: 5, tokens: 10}, limits: {tokens_per_minute: 1}}
            """,
            errors: """
                2:45: 'requests' needs 'requests_per_minute' in 'limits' of the same client
                """
        ),
        BrokenConfiguration(
            "a priority that is none",
            """
            clients: [{name: a, api_keys: [aaaaaaaa], priority: high}, {name: b, api_keys: [bbbbbbbb], priority: 10}]
            """,
            errors: """
                1:53: 'priority' must be a number such as 100, 20k or 1.5M; found 'high'
                1:102: 'priority' must be from 0 to 9; found '10'
                """
        ),
        BrokenConfiguration(
            "limits of models that are not declared or not allowed",
            """
            clients:
              - name: a
                api_keys: [aaaaaaaa]
                models: [gpt-4o]
                model_limits:
                  gpt-4: {tokens_per_minute: 1}
                  embeddings: {tokens_per_minute: 1}
                  gpt/4: {tokens_per_minute: 1}
              - name: b
                api_keys: [bbbbbbbb]
                model_limits: {embeddings: {token_per_minute: 1}, gpt-4o: 20k}
            models:
              - {name: gpt-4o, deployments: [{endpoint: e, deployment: d}]}
              - {name: embeddings, deployments: [{endpoint: e, deployment: f}]}
            """,
            errors: """
                6:7: there is no model 'gpt-4' in 'models'; did you mean 'gpt-4o'?
                6:7: this client may not use this model; add it to 'models' or remove its limits
                7:7: this client may not use this model; add it to 'models' or remove its limits
                8:7: a key of 'model_limits' must be 1 to 64 letters, digits, '.', '_' or '-'; found 'gpt/4'
                11:33: unknown key 'token_per_minute'; did you mean 'tokens_per_minute'?
                11:63: 'gpt-4o' must be a mapping of keys to values, not a single value
                """
        ),
        BrokenConfiguration(
            "limits of models that are no mapping, or an empty one",
            """
            clients:
              - {name: a, api_keys: [aaaaaaaa], model_limits: [gpt-4o]}
              - {name: b, api_keys: [bbbbbbbb], model_limits: {}}
              - {name: c, api_keys: [cccccccc], model_limits: {gpt-4o: }}
            """,
            errors: """
                2:51: 'model_limits' must be a mapping of keys to values, not a list
                3:51: 'model_limits' is an empty mapping; give it an entry or remove the key
                4:52: 'gpt-4o' has no value; give it one or remove the key
                """
        ),
    ]
}
