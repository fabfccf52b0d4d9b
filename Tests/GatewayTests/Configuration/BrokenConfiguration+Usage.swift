extension BrokenConfiguration {
    static let usage: [BrokenConfiguration] = [
        BrokenConfiguration(
            "usage without sinks, and with none",
            """
            usage: {sink: console}
            """,
            errors: """
                1:8: missing key 'sinks': every usage section needs it
                1:9: unknown key 'sink'; did you mean 'sinks'?
                """
        ),
        BrokenConfiguration(
            "sinks of no kind",
            """
            usage: {sinks: [{type: csvs, directory: x}, {directory: x}, console, {type: consol, colour: true}]}
            """,
            errors: """
                1:24: 'type' must be one of console, csv, jsonl, log_analytics; found 'csvs'; did you mean 'csv'?
                1:45: missing key 'type': every sink needs it
                1:61: an entry of 'sinks' must be a mapping of keys to values, not a single value
                1:77: 'type' must be one of console, csv, jsonl, log_analytics; found 'consol'; did you mean 'console'?
                """
        ),
        BrokenConfiguration(
            "a key that another kind of sink has",
            """
            usage: {sinks: [{type: console, directory: x}, {type: csv}, {type: jsonl, directory: x, rule: y}]}
            """,
            errors: """
                1:33: unknown key 'directory'; known here: type
                1:48: missing key 'directory': every sink needs it
                1:89: unknown key 'rule'; known here: type, directory
                """
        ),
        BrokenConfiguration(
            "a table without its parts",
            """
            usage: {sinks: [{type: log_analytics}]}
            """,
            errors: """
                1:17: missing key 'endpoint': every sink needs it
                1:17: missing key 'rule': every sink needs it
                1:17: missing key 'stream': every sink needs it
                1:17: missing key 'managed_identity', 'workload_identity' or 'client_secret': every sink needs one of \
                them
                """
        ),
        BrokenConfiguration(
            "a table with wrong parts",
            """
            usage:
              sinks:
                - type: log_analytics
                  endpoint: http://x.ingest.monitor.azure.com
                  rule: dcr-12
                  stream: AzureOpenAIUsage_PP_CL
                  managed_identity: {client_id: 1}
            """,
            errors: """
                4:17: 'endpoint' must be https://, except on loopback
                5:13: 'rule' must be a rule's immutable id: dcr- and 32 hexadecimal digits; found 'dcr-12'
                6:15: 'stream' must be a stream's name, such as Custom-AzureOpenAIUsage_PP_CL; found \
                'AzureOpenAIUsage_PP_CL'
                7:37: 'client_id' must be an id such as 00000000-0000-0000-0000-000000000000; found '1'
                """
        ),
        BrokenConfiguration(
            "spans to nowhere",
            """
            tracing: {otlp: "127.0.0.1:4317"}
            """,
            errors: """
                1:17: 'otlp' must be a URL that begins with https:// or http://
                """
        ),
        BrokenConfiguration(
            "a mock beside endpoints",
            """
            mock: {delay: 2h, body: hello}
            endpoints: [{name: e, url: "https://h"}]
            """,
            errors: """
                1:15: 'delay' must be from 0s to 1h; found '2h'
                1:25: 'body' must be a JSON object or array
                2:1: 'endpoints' stands beside 'mock', which answers everything; keep one of the two
                """
        ),
        BrokenConfiguration(
            "a status that no refusal has",
            """
            server: {model_refusal_status: 404}
            """,
            errors: """
                1:32: 'model_refusal_status' must be one of 403, 401; found '404'; did you mean '403'?
                """
        ),
    ]
}
