extension BrokenConfiguration {
    static let document: [BrokenConfiguration] = [
        BrokenConfiguration(
            "an empty file",
            "",
            isWhole: true,
            errors: """
                1:1: this file is empty; it needs at least 'clients' and 'endpoints'
                """
        ),
        BrokenConfiguration(
            "a file of comments",
            """
            # nothing yet
            """,
            isWhole: true,
            errors: """
                1:1: this file is empty; it needs at least 'clients' and 'endpoints'
                """
        ),
        BrokenConfiguration(
            "a document marker without a document",
            """
            ---
            """,
            isWhole: true,
            errors: """
                1:1: this file is empty; it needs at least 'clients' and 'endpoints'
                """
        ),
        BrokenConfiguration(
            "a list at the top",
            """
            - a
            - b
            """,
            isWhole: true,
            errors: """
                1:1: the top level of this file must be a mapping of keys to values, not a list
                """
        ),
        BrokenConfiguration(
            "a word at the top",
            """
            hello
            """,
            isWhole: true,
            errors: """
                1:1: the top level of this file must be a mapping of keys to values, not a single value
                """
        ),
        BrokenConfiguration(
            "an empty mapping",
            """
            {}
            """,
            isWhole: true,
            errors: """
                1:1: missing key 'clients': every configuration needs it
                1:1: missing key 'endpoints': every configuration needs it
                """
        ),
        BrokenConfiguration(
            "two documents",
            """
            listen: 0.0.0.0:1
            ---
            listen: 0.0.0.0:2
            """,
            isWhole: true,
            errors: """
                2:1: a second YAML document starts here; a configuration is one document
                """
        ),
        BrokenConfiguration(
            "a list that is never closed",
            """
            clients: [a,
              b
            listen: 0.0.0.0:1
            """,
            isWhole: true,
            errors: """
                3:7: YAML syntax: did not find expected ',' or ']' while parsing a flow sequence that starts on line 1
                """
        ),
        BrokenConfiguration(
            "a quote that is never closed",
            """
            listen: "0.0.0.0:8080
            """,
            isWhole: true,
            errors: """
                2:1: YAML syntax: found unexpected end of stream while scanning a quoted scalar that starts on line 1
                """
        ),
        BrokenConfiguration(
            "a tab as indentation",
            """
            server:
            \tthreads: 1
            """,
            errors: """
                2:1: YAML syntax: found character that cannot start any token; indent with spaces, not tabs
                """
        ),
        BrokenConfiguration(
            "a substitution without quotes inside brackets",
            """
            clients: [{name: a, api_keys: [${KEY}]}]
            """,
            isWhole: true,
            errors: """
                1:33: YAML syntax: did not find expected ',' or ']' while parsing a flow sequence that starts on \
                line 1; inside [ ] and { } write "${NAME}" in quotes
                """
        ),
        BrokenConfiguration(
            "two keys on one line",
            """
            listen: 0.0.0.0:1 admin: 0.0.0.0:2
            """,
            errors: """
                1:24: YAML syntax: mapping values are not allowed in this context
                """
        ),
        BrokenConfiguration(
            "a list as a key",
            """
            ? [a]
            : 1
            """,
            errors: """
                1:3: a key must be a plain name, not a list, a mapping or an alias
                """
        ),
        BrokenConfiguration(
            "an alias as a key, twice",
            """
            log: &a {level: info}
            *a : 1
            *a : 2
            """,
            errors: """
                2:1: this key is given more than once in the same mapping; keep one
                """
        ),
        BrokenConfiguration(
            "a merge key",
            """
            server: &s {threads: 1}
            log: {<<: *s}
            """,
            errors: """
                2:7: merge keys ('<<') are not supported; write the keys out
                """
        ),
        BrokenConfiguration(
            "an alias without an anchor",
            """
            log: {level: *level}
            """,
            errors: """
                1:14: this alias has no anchor before it; quote the value if it is meant to start with *
                """
        ),
        BrokenConfiguration(
            "an unquoted star",
            """
            clients:
              - name: a
                api_keys: [aaaaaaaa]
                models: *
            """,
            errors: """
                4:13: an unquoted * is no value in YAML; write "*"
                """
        ),
        BrokenConfiguration(
            "a wrong value used through an alias is reported for each key, where it is written",
            """
            server: {heartbeat: &h 0s, request_head_timeout: *h}
            """,
            errors: """
                1:21: 'request_head_timeout' must be from 100ms to 5m; found '0s'
                1:21: 'heartbeat' must be from 100ms to 5m; found '0s'
                """
        ),
    ]
}
