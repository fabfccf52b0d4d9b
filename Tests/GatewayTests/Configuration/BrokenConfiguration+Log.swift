extension BrokenConfiguration {
    static let log: [BrokenConfiguration] = [
        BrokenConfiguration(
            "words that are not in the lists",
            """
            log:
              level: inf
              format: yaml
              access: yes
            """,
            errors: """
                2:10: 'level' must be one of trace, debug, info, notice, warning, error, critical; found 'inf'; did \
                you mean 'info'?
                3:11: 'format' must be one of json, text; found 'yaml'
                4:11: 'access' must be true or false; found 'yes'
                """
        ),
        BrokenConfiguration(
            "words that come from outside are not shown",
            """
            log: {level: "${NAME}", format: "${NAME}", access: "${NAME}"}
            """,
            errors: """
                1:14: 'level' must be one of trace, debug, info, notice, warning, error, critical
                1:33: 'format' must be one of json, text
                1:52: 'access' must be true or false
                """
        ),
    ]
}
