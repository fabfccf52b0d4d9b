extension BrokenConfiguration {
    static let endpoints: [BrokenConfiguration] = [
        BrokenConfiguration(
            "no endpoints",
            """
            endpoints: []
            models: [{name: m, deployments: [{endpoint: e, deployment: d}]}]
            """,
            errors: """
                1:12: 'endpoints' is an empty list; give it an entry or remove the key
                """
        ),
        BrokenConfiguration(
            "two endpoints of one name",
            """
            endpoints: [{name: e, url: "https://h"}, {name: e, url: "https://i"}]
            """,
            errors: """
                1:49: the endpoint 'e' is already declared on line 1; names must be unique
                """
        ),
        BrokenConfiguration(
            "a URL of another scheme",
            """
            endpoints: [{name: e, url: "ftp://h"}]
            """,
            errors: """
                1:28: 'url' must be a URL that begins with https:// or http://
                """
        ),
        BrokenConfiguration(
            "a URL without a scheme",
            """
            endpoints: [{name: e, url: "sweden.openai.azure.com"}]
            """,
            errors: """
                1:28: 'url' must be a URL that begins with https:// or http://
                """
        ),
        BrokenConfiguration(
            "a URL with a password",
            """
            endpoints: [{name: e, url: "https://user:topsecret@h"}]
            """,
            errors: """
                1:28: 'url' must not hold a user or a password; remove what stands before the '@'
                """
        ),
        BrokenConfiguration(
            "a URL with a path",
            """
            endpoints: [{name: e, url: "https://h/openai"}]
            """,
            errors: """
                1:28: 'url' must not hold a path; end it after the host and port
                """
        ),
        BrokenConfiguration(
            "a URL with a query",
            """
            endpoints: [{name: e, url: "https://h/?api-key=topsecret"}]
            """,
            errors: """
                1:28: 'url' must not hold a query or a fragment; remove all from the '?' or '#' on
                """
        ),
        BrokenConfiguration(
            "a URL with a fragment",
            """
            endpoints: [{name: e, url: "https://h#top"}]
            """,
            errors: """
                1:28: 'url' must not hold a query or a fragment; remove all from the '?' or '#' on
                """
        ),
        BrokenConfiguration(
            "a URL without a host",
            """
            endpoints: [{name: e, url: "https://"}]
            """,
            errors: """
                1:28: 'url' must hold a host name or address, and perhaps a port from 1 to 65535, as in \
                https://host:8443
                """
        ),
        BrokenConfiguration(
            "a URL with port 0",
            """
            endpoints: [{name: e, url: "https://h:0"}]
            """,
            errors: """
                1:28: 'url' must hold a host name or address, and perhaps a port from 1 to 65535, as in \
                https://host:8443
                """
        ),
        BrokenConfiguration(
            "a URL whose host is no name",
            """
            endpoints: [{name: e, url: "https://a..b"}]
            """,
            errors: """
                1:28: 'url' must hold a host name or address, and perhaps a port from 1 to 65535, as in \
                https://host:8443
                """
        ),
        BrokenConfiguration(
            "timeouts and connections out of range",
            """
            endpoints:
              - name: e
                url: https://h
                timeouts: {connect: 1ms, first_byte: 2h, idle: 0s, total: 25h}
                connections: {max: 0, http2: on, max_wait: 6m, max_waiting: 1M}
            """,
            errors: """
                4:25: 'connect' must be from 10ms to 2m; found '1ms'
                4:42: 'first_byte' must be from 100ms to 1h; found '2h'
                4:52: 'idle' must be from 100ms to 1h; found '0s'
                4:63: 'total' must be from 1s to 24h; found '25h'
                5:24: 'max' must be from 1 to 10,000; found '0'
                5:34: 'http2' must be true or false; found 'on'
                5:48: 'max_wait' must be from 0s to 5m; found '6m'
                5:65: 'max_waiting' must be from 0 to 100,000; found '1M'
                """
        ),
        BrokenConfiguration(
            "an endpoint's key is not shown",
            """
            endpoints: [{name: e, url: "https://h", api_key: "topsec"}, {name: f, url: "https://h", api_key: top \
            secret key}]
            """,
            errors: """
                1:50: 'api_key' must be 8 to 512 characters long
                1:98: 'api_key' must be printable ASCII characters without spaces
                """
        ),
        BrokenConfiguration(
            "headers that cannot be forwarded",
            """
            endpoints: [{name: e, url: "https://h", forward_headers: [x-a, X-A, "b c", Api-Key, "x:"]}]
            """,
            errors: """
                1:64: an entry of 'forward_headers' repeats a header; remove it; found 'X-A'
                1:69: an entry of 'forward_headers' must be a header's name: 1 to 64 letters, digits or '-'; found \
                'b c'
                1:76: an entry of 'forward_headers' must not be a header that the gateway sets itself; found 'Api-Key'
                1:85: an entry of 'forward_headers' must be a header's name: 1 to 64 letters, digits or '-'; found \
                'x:'
                """
        ),
        BrokenConfiguration(
            "too many headers",
            """
            endpoints: [{name: e, url: "https://h", forward_headers: [a, b, c, d, e, f]}]
            """,
            errors: """
                1:58: 'forward_headers' has 6 entries; at most 5 headers can be forwarded
                """
        ),
        BrokenConfiguration(
            "proxies of the wrong shape",
            """
            endpoints:
              - {name: e, url: "https://h", proxy: "https://p:3128"}
              - {name: f, url: "https://h", proxy: "http://p"}
              - {name: g, url: "https://h", proxy: "http://user:topsecret@p:3128"}
            """,
            errors: """
                2:40: 'proxy' must be http://host:port
                3:40: 'proxy' must be http://host:port
                4:40: 'proxy' must not hold a user or a password; remove what stands before the '@'
                """
        ),
        BrokenConfiguration(
            "two credentials",
            """
            endpoints:
              - {name: e, url: "https://h", api_key: aaaaaaaa, managed_identity: {}, pass_through: true}
              - {name: f, url: "https://h", workload_identity: {}, api_key: bbbbbbbb}
              - {name: g, url: "https://h", workload_identity: {}, managed_identity: {}}
              - {name: i, url: "https://h", api_key: bbbbbbbb, pass_through: false}
            """,
            errors: """
                2:52: 'managed_identity' stands beside 'api_key'; keep one credential
                2:74: 'pass_through' stands beside 'api_key'; keep one credential
                3:33: 'workload_identity' stands beside 'api_key'; keep one credential
                4:33: 'workload_identity' stands beside 'managed_identity'; keep one of the two
                """
        ),
        BrokenConfiguration(
            "client secrets without their parts, with wrong ones, and beside another credential",
            """
            endpoints:
              - {name: e, url: "https://h", client_secret: {}}
              - name: f
                url: https://h
                client_secret: {tenant: contoso.com, client_id: gateway, secret: topsec, cloud: german}
              - name: g
                url: https://h
                client_secret:
                  tenant: 00000000-0000-0000-0000-000000000000
                  client_id: 00000000-0000-0000-0000-000000000000
                  secret: topsecretkey
                  cloud: public
                  authority: http://login.example
                managed_identity: {}
              - {name: h, url: "https://h", client_secret: topsecretkey}
            """,
            errors: """
                2:48: missing key 'tenant': every client secret needs it
                2:48: missing key 'client_id': every client secret needs it
                2:48: missing key 'secret': every client secret needs it
                5:29: 'tenant' must be an id such as 00000000-0000-0000-0000-000000000000; found 'contoso.com'
                5:53: 'client_id' must be an id such as 00000000-0000-0000-0000-000000000000; found 'gateway'
                5:70: 'secret' must be 8 to 512 characters long
                5:85: 'cloud' must be one of public, usgov, china; found 'german'
                8:5: 'client_secret' stands beside 'managed_identity'; keep one of the two
                13:7: 'authority' stands beside 'cloud'; keep one of the two
                13:18: 'authority' must be https://, except on loopback
                15:48: 'client_secret' must be a mapping of keys to values, not a single value
                """
        ),
        BrokenConfiguration(
            "an expression that is none",
            """
            endpoints: [{name: e, url: "https://h", forward_headers_matching: "x-(ms"}]
            """,
            errors: """
                1:67: 'forward_headers_matching' must be a regular expression of at most 512 characters; found 'x-(ms'
                """
        ),
    ]
}
