extension BrokenConfiguration {
    static let clients: [BrokenConfiguration] = [
        BrokenConfiguration(
            "clients by name",
            """
            clients: {team-a: {api_keys: [aaaaaaaa]}}
            """,
            errors: """
                1:10: 'clients' must be a list, not a mapping
                """
        ),
        BrokenConfiguration(
            "no clients",
            """
            clients: []
            """,
            errors: """
                1:10: 'clients' is an empty list; give it an entry or remove the key
                """
        ),
        BrokenConfiguration(
            "entries that are no clients",
            """
            clients: [3, [a], ~]
            """,
            errors: """
                1:11: an entry of 'clients' must be a mapping of keys to values, not a single value
                1:14: an entry of 'clients' must be a mapping of keys to values, not a list
                1:19: an entry of 'clients' has no value; give it one or remove the key
                """
        ),
        BrokenConfiguration(
            "a client without keys and a name that is none",
            """
            clients: [{name: team/a, api_keys: []}, {name: " a", api_keys: [aaaaaaaa]}]
            """,
            errors: """
                1:18: 'name' must be 1 to 64 letters, digits, '.', '_', '-' or spaces inside; found 'team/a'
                1:36: 'api_keys' is an empty list; give it an entry or remove the key
                1:48: 'name' must be 1 to 64 letters, digits, '.', '_', '-' or spaces inside; found ' a'
                """
        ),
        BrokenConfiguration(
            "a name that is too long",
            """
            clients: [{name: nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn, api_keys: [aaaaaaaa]}]
            """,
            errors: """
                1:18: 'name' must be 1 to 64 letters, digits, '.', '_', '-' or spaces inside; found \
                'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn...'
                """
        ),
        BrokenConfiguration(
            "a key in place of a list of keys",
            """
            clients: [{name: a, api_keys: topsecretkey}]
            """,
            errors: """
                1:31: 'api_keys' must be a list, not a single value
                """
        ),
        BrokenConfiguration(
            "keys of every wrong shape",
            """
            clients:
              - name: a
                api_keys:
                  - short
                  - top secret key
                  - sha256:12
                  - sha256:zz86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
                  - ""
                  - ~
                  - [topsecretkey]
                  - schlüssel
            """,
            errors: """
                4:9: an entry of 'api_keys' must be 8 to 512 characters long
                5:9: an entry of 'api_keys' must be printable ASCII characters without spaces
                6:9: an entry of 'api_keys' must have exactly 64 hexadecimal digits after 'sha256:'
                7:9: an entry of 'api_keys' must have exactly 64 hexadecimal digits after 'sha256:'
                8:9: an entry of 'api_keys' is empty; give it a value or remove the key
                9:9: an entry of 'api_keys' has no value; give it one or remove the key
                10:9: an entry of 'api_keys' must be a single value, not a list
                11:9: an entry of 'api_keys' must be printable ASCII characters without spaces
                """
        ),
        BrokenConfiguration(
            "keys from nowhere",
            """
            clients:
              - name: a
                api_keys:
                  - ${MISSING}
                  - ${file:keys/none}
                  - ${EMPTY}
                  - ${KEY} ${KEY}
                  - "${KEY"
                  - ${not a name}
                  - ${file:}
                  - ${}
                  - ${9}
            """,
            errors: """
                4:9: an entry of 'api_keys' needs the environment variable 'MISSING', which is not set
                5:9: an entry of 'api_keys' needs the file 'keys/none', which cannot be read: No such file or \
                directory
                6:9: an entry of 'api_keys' is empty: what it takes from outside the file is empty
                7:9: an entry of 'api_keys' must be printable ASCII characters without spaces
                8:9: an entry of 'api_keys' has '${' without a closing '}'; write '$${' for a literal '${'
                9:9: an entry of 'api_keys' has a '${...}' that is neither a variable's name nor file:PATH
                10:9: an entry of 'api_keys' has '${file:}' without a path
                11:9: an entry of 'api_keys' has a '${...}' that is neither a variable's name nor file:PATH
                12:9: an entry of 'api_keys' has a '${...}' that is neither a variable's name nor file:PATH
                """
        ),
        BrokenConfiguration(
            "the same key twice, in one client and in two",
            """
            clients:
              - name: a
                api_keys: [aaaaaaaa, bbbbbbbb, aaaaaaaa]
              - name: b
                api_keys: [cccccccc, bbbbbbbb]
            """,
            errors: """
                3:36: this API key is already given on line 3; a key belongs to one client, once
                5:26: this API key is already given on line 3; a key belongs to one client, once
                """
        ),
        BrokenConfiguration(
            "the same digest in two cases of letters",
            """
            clients:
              - name: a
                api_keys: [sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08]
              - name: b
                api_keys: [sha256:9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08]
            """,
            errors: """
                5:16: this API key is already given on line 3; a key belongs to one client, once
                """
        ),
        BrokenConfiguration(
            "the same key written and taken from outside",
            """
            clients: [{name: a, api_keys: [from-the-environment]}, {name: b, api_keys: ["${KEY}"]}]
            """,
            errors: """
                1:77: this API key is already given on line 1; a key belongs to one client, once
                """
        ),
        BrokenConfiguration(
            "two clients of one name",
            """
            clients: [{name: a, api_keys: [aaaaaaaa]}, {name: a, api_keys: [bbbbbbbb]}]
            """,
            errors: """
                1:51: the client 'a' is already declared on line 1; names must be unique
                """
        ),
        BrokenConfiguration(
            "a repeated name that came from outside is not shown",
            """
            clients: [{name: "${NAME}", api_keys: [aaaaaaaa]}, {name: hidden-name, api_keys: [bbbbbbbb]}]
            """,
            errors: """
                1:59: the client is already declared on line 1; names must be unique
                """
        ),
        BrokenConfiguration(
            "models that are not lists",
            """
            clients: [{name: a, api_keys: [aaaaaaaa], models: all}, {name: b, api_keys: [bbbbbbbb], models: {}}]
            """,
            errors: """
                1:51: 'models' must be a list of models, or "*" for every model; found 'all'
                1:97: 'models' must be a list of models, or "*" for every model, not a mapping
                """
        ),
        BrokenConfiguration(
            "a star beside models",
            """
            clients: [{name: a, api_keys: [aaaaaaaa], models: [gpt-4o, "*"]}]
            """,
            errors: """
                1:60: an entry of 'models' is "*", which already means every model; let it stand alone
                """
        ),
        BrokenConfiguration(
            "tokens of a client where nobody's are validated",
            """
            clients: [{name: a, entra: {roles: [sluice.a]}}]
            """,
            errors: """
                1:21: 'entra' needs 'entra' at the top level, which says whose tokens are validated
                """
        ),
        BrokenConfiguration(
            "two clients that take any bearer token",
            """
            clients: [{name: a, any_bearer_token: true}, {name: b, any_bearer_token: true}, {name: c, any_bearer_token: 1}]
            """,
            errors: """
                1:56: 'any_bearer_token' is already true on line 1; only one client can take every token
                1:109: 'any_bearer_token' must be true or false; found '1'
                """
        ),
        BrokenConfiguration(
            "any bearer token beside validated ones",
            """
            entra: [{tenant: 00000000-0000-0000-0000-000000000000, audiences: [a]}]
            clients: [{name: a, any_bearer_token: true}]
            """,
            errors: """
                2:21: 'any_bearer_token' cannot stand beside 'entra' at the top level, which validates tokens
                """
        ),
        BrokenConfiguration(
            "models that are not declared",
            """
            clients:
              - name: a
                api_keys: [aaaaaaaa]
                models: [gpt-4, gpt-4o, "${NAME}", llama]
            models:
              - {name: gpt-4o, deployments: [{endpoint: e, deployment: d}]}
            """,
            errors: """
                4:14: there is no model 'gpt-4' in 'models'; did you mean 'gpt-4o'?
                4:29: there is no model of this name in 'models'
                4:40: there is no model 'llama' in 'models'
                """
        ),
    ]
}
