extension BrokenConfiguration {
    static let addresses: [BrokenConfiguration] = [
        BrokenConfiguration(
            "an address that is a list",
            """
            listen: [0.0.0.0:8080]
            """,
            errors: """
                1:9: 'listen' must be a single value, not a list
                """
        ),
        BrokenConfiguration(
            "a port alone",
            """
            listen: 8080
            """,
            errors: """
                1:9: 'listen' must be host:port, such as 0.0.0.0:8080 or [::1]:8080, with a port up to 65535; found \
                '8080'
                """
        ),
        BrokenConfiguration(
            "an address without a host",
            """
            admin: ":9090"
            """,
            errors: """
                1:8: 'admin' must be host:port, such as 0.0.0.0:8080 or [::1]:8080, with a port up to 65535; found \
                ':9090'
                """
        ),
        BrokenConfiguration(
            "a port beyond the last",
            """
            listen: localhost:65536
            """,
            errors: """
                1:9: 'listen' must be host:port, such as 0.0.0.0:8080 or [::1]:8080, with a port up to 65535; found \
                'localhost:65536'
                """
        ),
        BrokenConfiguration(
            "an IPv6 address without brackets",
            """
            listen: "::1:8080"
            """,
            errors: """
                1:9: 'listen' must be host:port, such as 0.0.0.0:8080 or [::1]:8080, with a port up to 65535; found \
                '::1:8080'
                """
        ),
        BrokenConfiguration(
            "an IPv6 address that is none",
            """
            listen: "[::g]:8080"
            """,
            errors: """
                1:9: 'listen' must be host:port, such as 0.0.0.0:8080 or [::1]:8080, with a port up to 65535; found \
                '[::g]:8080'
                """
        ),
        BrokenConfiguration(
            "an IPv4 address that is none",
            """
            listen: 300.1.1.1:80
            """,
            errors: """
                1:9: 'listen' must be host:port, such as 0.0.0.0:8080 or [::1]:8080, with a port up to 65535; found \
                '300.1.1.1:80'
                """
        ),
        BrokenConfiguration(
            "both sides on one port",
            """
            listen: 0.0.0.0:9090
            """,
            errors: """
                1:9: 'listen' takes the same address as 'admin'; give it a port of its own
                """
        ),
        BrokenConfiguration(
            "half of tls",
            """
            tls: {certificate: tls.crt}
            """,
            errors: """
                1:6: missing key 'key': every tls section needs it
                """
        ),
        BrokenConfiguration(
            "tls as a switch",
            """
            tls: true
            """,
            errors: """
                1:6: 'tls' must be a mapping of keys to values, not a single value
                """
        ),
    ]
}
