extension BrokenConfiguration {
    static let keys: [BrokenConfiguration] = [
        BrokenConfiguration(
            "an unknown key near a known one",
            """
            clients:
              - name: a
                api_kyes: [aaaaaaaa]
            """,
            errors: """
                2:5: missing key 'api_keys' or 'entra': every client needs one of them, or both
                3:5: unknown key 'api_kyes'; did you mean 'api_keys'?
                """
        ),
        BrokenConfiguration(
            "an unknown key near none",
            """
            log: {colour: true}
            """,
            errors: """
                1:7: unknown key 'colour'; known here: level, format, access, access_level, access_sampling_ratio
                """
        ),
        BrokenConfiguration(
            "an unknown section and a misspelled one",
            """
            lisen: 0.0.0.0:1
            cache: {redis: x}
            """,
            errors: """
                1:1: unknown key 'lisen'; did you mean 'listen'?
                2:1: unknown key 'cache'; known here: listen, admin, tls, front_door, server, coordination, entra, \
                clients, mock, endpoints, models, usage, tracing, log
                """
        ),
        BrokenConfiguration(
            "a missing space after a colon",
            """
            server: {threads:8}
            """,
            errors: """
                1:10: unknown key; put a space after the ':'
                """
        ),
        BrokenConfiguration(
            "a key that may be a secret is not repeated",
            """
            clients: [{name: a, api_keys:topsecretkey}]
            """,
            errors: """
                1:11: missing key 'api_keys' or 'entra': every client needs one of them, or both
                1:21: unknown key; put a space after the ':'
                """
        ),
        BrokenConfiguration(
            "duplicate keys in two mappings, one of them three times",
            """
            server:
              threads: 1
              threads: 2
              threads: 3
            log:
              level: info
              "level": debug
            """,
            errors: """
                3:3: duplicate key 'threads'; it is already given on line 2
                4:3: duplicate key 'threads'; it is already given on line 2
                7:3: duplicate key 'level'; it is already given on line 6
                """
        ),
        BrokenConfiguration(
            "a duplicate section",
            """
            log: {level: info}
            server: {threads: 1}
            log: {format: text}
            """,
            errors: """
                3:1: duplicate key 'log'; it is already given on line 1
                """
        ),
        BrokenConfiguration(
            "duplicate keys that YAML decorates",
            """
            server: {&a threads: 1, &b threads: 2}
            """,
            errors: """
                1:10: this key is given more than once in the same mapping; keep one
                """
        ),
        BrokenConfiguration(
            "a duplicate beside other errors",
            """
            log: {level: loud, access: true, access: maybe}
            listen: nowhere
            """,
            errors: """
                1:14: 'level' must be one of trace, debug, info, notice, warning, error, critical; found 'loud'
                1:34: duplicate key 'access'; it is already given on line 1
                2:9: 'listen' must be host:port, such as 0.0.0.0:8080 or [::1]:8080, with a port up to 65535; found \
                'nowhere'
                """
        ),
        BrokenConfiguration(
            "a section without content",
            """
            server:
            """,
            errors: """
                1:1: 'server' has no value; give it one or remove the key
                """
        ),
        BrokenConfiguration(
            "missing keys of an entry",
            """
            clients: [{}]
            endpoints: [{}]
            models: [{deployments: [{}]}]
            """,
            errors: """
                1:11: missing key 'name': every client needs it
                1:11: missing key 'api_keys' or 'entra': every client needs one of them, or both
                2:13: missing key 'name': every endpoint needs it
                2:13: missing key 'url': every endpoint needs it
                3:10: missing key 'name': every model needs it
                3:25: missing key 'endpoint': every deployment needs it
                """
        ),
    ]
}
