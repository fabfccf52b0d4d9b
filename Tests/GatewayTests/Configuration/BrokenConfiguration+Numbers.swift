extension BrokenConfiguration {
    static let numbers: [BrokenConfiguration] = [
        BrokenConfiguration(
            "durations without a unit, without a number and with a strange unit",
            """
            server:
              idle_timeout: 120
              heartbeat: soon
              request_head_timeout: 1d
            """,
            errors: """
                2:17: 'idle_timeout' needs a unit: ms, s, m or h, as in 5s; found '120'
                3:14: 'heartbeat' must be a duration such as 75ms, 5s, 2m or 1h; found 'soon'
                4:25: 'request_head_timeout' must be a whole number and one unit, as in 75ms, 5s, 2m or 1h; found '1d'
                """
        ),
        BrokenConfiguration(
            "durations with a fraction, a sign and a space",
            """
            server: {idle_timeout: 1.5s, heartbeat: -1s, request_head_timeout: 1 s}
            """,
            errors: """
                1:24: 'idle_timeout' must be a whole number and one unit, as in 75ms, 5s, 2m or 1h; found '1.5s'
                1:41: 'heartbeat' must be a duration such as 75ms, 5s, 2m or 1h; found '-1s'
                1:68: 'request_head_timeout' must be a whole number and one unit, as in 75ms, 5s, 2m or 1h; found \
                '1 s'
                """
        ),
        BrokenConfiguration(
            "durations out of range",
            """
            server:
              idle_timeout: 999ms
              drain: {lame_duck: 6m, grace: 99999999999999999999h}
            """,
            errors: """
                2:17: 'idle_timeout' must be from 1s to 1h; found '999ms'
                3:22: 'lame_duck' must be from 0s to 5m; found '6m'
                3:33: 'grace' must be from 0s to 1h; found '99999999999999999999h'
                """
        ),
        BrokenConfiguration(
            "a duration that overflows when it is multiplied",
            """
            server: {idle_timeout: 9223372036854775807h}
            """,
            errors: """
                1:24: 'idle_timeout' must be from 1s to 1h; found '9223372036854775807h'
                """
        ),
        BrokenConfiguration(
            "byte sizes out of range or shape",
            """
            server: {max_header_bytes: 64q, max_target_bytes: 1.3k, max_body_bytes: 2G}
            """,
            errors: """
                1:28: 'max_header_bytes' must be a number of bytes such as 4096, 64k or 64M; found '64q'
                1:51: 'max_target_bytes' must come out as a whole number; found '1.3k'
                1:73: 'max_body_bytes' must be from 1k to 1G; found '2G'
                """
        ),
        BrokenConfiguration(
            "counts out of range or shape",
            """
            server: {max_header_count: 0, max_in_flight: 2M, threads: -1}
            """,
            errors: """
                1:28: 'max_header_count' must be from 1 to 1,000; found '0'
                1:46: 'max_in_flight' must be from 1 to 1,000,000; found '2M'
                1:59: 'threads' must be a number such as 100, 20k or 1.5M; found '-1'
                """
        ),
        BrokenConfiguration(
            "counts that overflow",
            """
            server: {max_in_flight: 99999999999999999999G, max_header_count: 9223372036854775807k, threads: \
            1.0000000001}
            """,
            errors: """
                1:25: 'max_in_flight' must be from 1 to 1,000,000; found '99999999999999999999G'
                1:66: 'max_header_count' must be from 1 to 1,000; found '9223372036854775807k'
                1:97: 'threads' must be a number such as 100, 20k or 1.5M; found '1.0000000001'
                """
        ),
        BrokenConfiguration(
            "a number that comes from outside is not shown",
            """
            server: {heartbeat: "${NUMBER}", threads: "${NUMBER}000"}
            """,
            errors: """
                1:21: 'heartbeat' needs a unit: ms, s, m or h, as in 5s
                1:43: 'threads' must be from 1 to 256
                """
        ),
    ]
}
