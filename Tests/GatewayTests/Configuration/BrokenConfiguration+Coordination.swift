extension BrokenConfiguration {
    static let coordination: [BrokenConfiguration] = [
        BrokenConfiguration(
            "coordination without Redis",
            """
            coordination: {cluster: true}
            """,
            errors: """
                1:15: missing key 'redis': every coordination section needs it
                """
        ),
        BrokenConfiguration(
            "addresses of Redis that are none",
            """
            coordination: {redis: "https://h:6379"}
            """,
            errors: """
                1:23: 'redis' must be a URL that begins with rediss:// or redis://
                """
        ),
        BrokenConfiguration(
            "an address of Redis with a password in it",
            """
            coordination: {redis: "rediss://default:topsecret@h:6380"}
            """,
            errors: """
                1:23: 'redis' must not hold a user or a password; they have keys of their own, 'username' and 'password'
                """
        ),
        BrokenConfiguration(
            "an address of Redis without a host",
            """
            coordination: {redis: "redis://:6379/0"}
            """,
            errors: """
                1:23: 'redis' must hold a host name or address, and perhaps a port from 1 to 65535, as in \
                rediss://host:10000
                """
        ),
        BrokenConfiguration(
            "a database of Redis that is none",
            """
            coordination: {redis: "redis://h/cache"}
            """,
            errors: """
                1:23: 'redis' must end after the port, or with / and the number of a database
                """
        ),
        BrokenConfiguration(
            "a database beside a cluster",
            """
            coordination: {redis: "redis://h/1", cluster: true}
            """,
            errors: """
                1:23: 'redis' must not name a database beside 'cluster: true'; a cluster has only database 0
                """
        ),
        BrokenConfiguration(
            "values out of range",
            """
            coordination:
              redis: redis://h
              deadline: 11s
              when_unavailable: fail
              assumed_replicas: 0
              namespace: "{0}"
              cluster: oss
            """,
            errors: """
                3:13: 'deadline' must be from 1ms to 10s; found '11s'
                4:21: 'when_unavailable' must be one of share, open, closed; found 'fail'
                5:21: 'assumed_replicas' must be from 1 to 10,000; found '0'
                6:14: 'namespace' must be 1 to 64 letters, digits, '.', '_' or '-'; found '{0}'
                7:12: 'cluster' must be true or false; found 'oss'
                """
        ),
        BrokenConfiguration(
            "a user without a password",
            """
            coordination: {redis: "redis://h", username: default}
            """,
            errors: """
                1:36: 'username' needs 'password' or 'entra' beside it
                """
        ),
        BrokenConfiguration(
            "a password and a token",
            """
            coordination:
              redis: rediss://h
              password: topsecret
              entra: {managed_identity: {}}
            """,
            errors: """
                4:3: 'entra' stands beside 'password'; keep one of the two
                """
        ),
        BrokenConfiguration(
            "a token and a certificate without TLS",
            """
            coordination:
              redis: redis://h
              entra: {workload_identity: {}}
              ca_file: ca.pem
            """,
            errors: """
                3:3: 'entra' needs rediss:// in 'redis'; a token must not travel without TLS
                4:3: 'ca_file' needs rediss:// in 'redis'; without TLS there is no certificate
                """
        ),
        BrokenConfiguration(
            "identities that are none",
            """
            coordination: {redis: "rediss://h", entra: {managed_identity: gateway}}
            """,
            errors: """
                1:63: 'managed_identity' must be an id such as 00000000-0000-0000-0000-000000000000; found 'gateway'
                """
        ),
        BrokenConfiguration(
            "no identity, and two of them",
            """
            coordination:
              redis: rediss://h
              entra: {client_id: 00000000-0000-0000-0000-000000000000}
            """,
            errors: """
                3:10: missing key 'managed_identity', 'workload_identity' or 'client_secret': every entra section needs \
                one of them
                3:11: unknown key 'client_id'; known here: managed_identity, workload_identity, client_secret
                """
        ),
        BrokenConfiguration(
            "two identities",
            """
            coordination:
              redis: rediss://h
              entra: {managed_identity: {}, workload_identity: {client_id: x}}
            """,
            errors: """
                3:33: 'workload_identity' stands beside 'managed_identity'; keep one of the two
                3:53: unknown key 'client_id'; known here: nothing
                """
        ),
        BrokenConfiguration(
            "a password with a space, and one that is missing",
            """
            coordination: {redis: "redis://h", password: "top sec", username: "a b"}
            """,
            errors: """
                1:46: 'password' must be printable ASCII characters without spaces
                1:67: 'username' must be 1 to 256 printable ASCII characters without spaces
                """
        ),
    ]
}
