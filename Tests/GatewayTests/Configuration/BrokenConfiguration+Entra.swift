extension BrokenConfiguration {
    static let entra: [BrokenConfiguration] = [
        BrokenConfiguration(
            "Front Door ids that are none, and one twice",
            """
            front_door:
              ids: [sluice, 0000000a-0000-0000-0000-000000000000, 0000000A-0000-0000-0000-000000000000]
            """,
            errors: """
                2:9: an entry of 'ids' must be an id such as 00000000-0000-0000-0000-000000000000; found 'sluice'
                2:55: an entry of 'ids' is already on line 2; remove one of them
                """
        ),
        BrokenConfiguration(
            "no Front Door ids",
            """
            front_door: {ids: []}
            """,
            errors: """
                1:19: 'ids' is an empty list; give it an entry or remove the key
                """
        ),
        BrokenConfiguration(
            "a tenant by its name, and without audiences",
            """
            entra: [{tenant: contoso.onmicrosoft.com}]
            """,
            errors: """
                1:9: missing key 'audiences': every tenant needs it
                1:18: 'tenant' must be an id such as 00000000-0000-0000-0000-000000000000; found 'contoso.onmicrosoft.com'
                """
        ),
        BrokenConfiguration(
            "a tenant twice",
            """
            entra:
              - {tenant: 0000000a-0000-0000-0000-000000000000, audiences: [a]}
              - {tenant: 0000000A-0000-0000-0000-000000000000, audiences: [b]}
            """,
            errors: """
                3:14: the tenant is already declared on line 2; names must be unique
                """
        ),
        BrokenConfiguration(
            "a tenant with wrong values",
            """
            entra:
              - tenant: 0000000a-0000-0000-0000-000000000000
                audiences: ["a b", a, a]
                cloud: germany
                clock_skew: 6m
            """,
            errors: """
                3:17: an entry of 'audiences' must be 1 to 256 printable ASCII characters without spaces; found 'a b'
                3:27: an entry of 'audiences' is already on line 3; remove one of them
                4:12: 'cloud' must be one of public, usgov, china; found 'germany'
                5:17: 'clock_skew' must be from 0s to 5m; found '6m'
                """
        ),
        BrokenConfiguration(
            "a cloud and an authority, and one without TLS",
            """
            entra:
              - tenant: 0000000a-0000-0000-0000-000000000000
                audiences: [a]
                cloud: public
                authority: http://login.internal
            """,
            errors: """
                5:5: 'authority' stands beside 'cloud'; keep one of the two
                5:16: 'authority' must be https://, except on loopback
                """
        ),
        BrokenConfiguration(
            "a host that only looks like loopback",
            """
            entra:
              - {tenant: 0000000a-0000-0000-0000-000000000000, audiences: [a], authority: "http://127.0.0.1.evil.example"}
            """,
            errors: """
                2:79: 'authority' must be https://, except on loopback
                """
        ),
        BrokenConfiguration(
            "a client by tokens of nobody, and of things that are no ids",
            """
            entra: [{tenant: 0000000a-0000-0000-0000-000000000000, audiences: [a]}]
            clients:
              - {name: a, entra: {users: [], groups: []}}
              - {name: b, entra: {users: [jane], applications: [app], groups: [team], roles: [a b]}}
              - {name: c, entra: {}}
              - {name: d, entra: [sluice.d]}
              - {name: f, entra: {role: [sluice.f]}}
            """,
            errors: """
                3:22: this names nobody; give it users, applications, roles or groups
                4:31: an entry of 'users' must be an id such as 00000000-0000-0000-0000-000000000000; found 'jane'
                4:53: an entry of 'applications' must be an id such as 00000000-0000-0000-0000-000000000000; found 'app'
                4:68: an entry of 'groups' must be an id such as 00000000-0000-0000-0000-000000000000; found 'team'
                4:83: an entry of 'roles' must be 1 to 256 printable ASCII characters without spaces; found 'a b'
                5:22: this names nobody; give it users, applications, roles or groups
                6:22: 'entra' must be a mapping of keys to values, not a list
                7:22: this names nobody; give it users, applications, roles or groups
                7:23: unknown key 'role'; did you mean 'roles'?
                """
        ),
    ]
}
