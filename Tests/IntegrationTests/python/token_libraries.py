"""Mints access tokens with PyJWT, joserfc and jwcrypto, has each library judge all of them, and prints it as JSON.

    token_libraries.py

The output: {"keys": a JSON Web Key Set, "tokens": [{"name", "minter", "token", "verdicts": {library: bool}}]}, on one line
"""

import base64
import json
import time

import joserfc.jwk
import joserfc.jws
import joserfc.jwt
import jwcrypto.jwk
import jwcrypto.jwt
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

TENANT = "11111111-1111-1111-1111-111111111111"
AUDIENCE = "22222222-2222-2222-2222-222222222222"
ISSUER = f"https://login.microsoftonline.com/{TENANT}/v2.0"
LEEWAY = 60
NOW = int(time.time())

KEYS = {
    "pyjwt": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "joserfc": joserfc.jwk.RSAKey.generate_key(2048, parameters={"kid": "joserfc", "use": "sig"}),
    "jwcrypto": jwcrypto.jwk.JWK.generate(kty="RSA", size=3072, kid="jwcrypto", use="sig"),
}


def public_keys():
    """One key of each library, as that library writes it."""
    own = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEYS["pyjwt"].public_key()))
    return [
        {**own, "kid": "pyjwt", "use": "sig"},
        KEYS["joserfc"].as_dict(private=False),
        json.loads(KEYS["jwcrypto"].export_public()),
    ]


def claims(**changes):
    principal = "aaaaaaaa-0000-0000-0000-000000000002"
    found = {
        "aud": AUDIENCE, "iss": ISSUER, "iat": NOW - 5, "nbf": NOW - 5, "exp": NOW + 3600, "tid": TENANT, "ver": "2.0",
        "azp": "bbbbbbbb-0000-0000-0000-000000000001", "oid": principal, "sub": principal, "uti": "AbCdEfGhIjKlMnOpQrStUv",
        "roles": ["sluice.team-a"], "name": "J\u00fcrgen \u20ac \U0001f600",
    }
    found.update(changes)
    return {name: value for name, value in found.items() if value is not None}


def mint(library, payload, algorithm="RS256", kid=None, **header):
    """A token as the library makes it."""
    header = {"alg": algorithm, "typ": "JWT", "kid": kid or library, **header}
    key = KEYS[library]
    if library == "pyjwt":
        return jwt.encode(payload, key, algorithm=algorithm, headers=header)
    if library == "joserfc":
        registry = joserfc.jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
        return joserfc.jwt.encode(header, payload, key, registry=registry)
    token = jwcrypto.jwt.JWT(header=header, claims=payload, algs=[algorithm])
    token.make_signed_token(key)
    return token.serialize()


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def tampered(token):
    header, payload, signature = token.split(".")
    body = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    body["roles"] = ["sluice.team-a", "admin"]
    return ".".join([header, encoded(json.dumps(body).encode()), signature])


def unsigned(payload, library):
    header = {"alg": "none", "typ": "JWT", "kid": library}
    return f"{encoded(json.dumps(header).encode())}.{encoded(json.dumps(payload).encode())}."


def tokens():
    for library in KEYS:
        good = mint(library, claims())
        yield "good", library, good
        yield "good without what is optional", library, mint(library, claims(iat=None, nbf=None, uti=None, name=None))
        yield "good for one of two audiences", library, mint(library, claims(aud=["other", AUDIENCE]))
        yield "good within the leeway", library, mint(library, claims(exp=NOW - LEEWAY + 30))
        yield "expired", library, mint(library, claims(exp=NOW - LEEWAY - 30))
        yield "not yet valid", library, mint(library, claims(nbf=NOW + LEEWAY + 30))
        yield "for another audience", library, mint(library, claims(aud="other"))
        yield "of another issuer", library, mint(library, claims(iss=ISSUER + "/"))
        yield "without expiry", library, mint(library, claims(exp=None))
        yield "with another payload", library, tampered(good)
        yield "without a signature", library, unsigned(claims(), library)
        yield "cut", library, good[:-8]
        yield "under another's key id", library, mint(library, claims(), kid="joserfc" if library != "joserfc" else "pyjwt")
        yield "under an unknown key id", library, mint(library, claims(), kid="unknown")
        yield "PS256", library, mint(library, claims(), algorithm="PS256")
        yield "RS512", library, mint(library, claims(), algorithm="RS512")


def pyjwt_takes(token):
    keys = {key["kid"]: jwt.PyJWK(key) for key in public_keys()}
    key = keys[jwt.get_unverified_header(token)["kid"]]
    options = {"require": ["exp", "iss", "aud"]}
    jwt.decode(token, key, algorithms=["RS256"], audience=AUDIENCE, issuer=ISSUER, leeway=LEEWAY, options=options)


def joserfc_takes(token):
    keys = joserfc.jwk.KeySet.import_key_set({"keys": public_keys()})
    decoded = joserfc.jwt.decode(token, keys, algorithms=["RS256"])
    rules = joserfc.jwt.JWTClaimsRegistry(
        leeway=LEEWAY,
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": AUDIENCE},
        exp={"essential": True},
    )
    rules.validate(decoded.claims)


def jwcrypto_takes(token):
    keys = jwcrypto.jwk.JWKSet.from_json(json.dumps({"keys": public_keys()}))
    checked = jwcrypto.jwt.JWT(algs=["RS256"], check_claims={"iss": ISSUER, "aud": AUDIENCE, "exp": None})
    checked.leeway = LEEWAY
    checked.deserialize(token, keys)


def verdict(judge, token):
    try:
        judge(token)
        return True
    except Exception:  # each library has a family of its own, and all of them mean no
        return False


JUDGES = {"pyjwt": pyjwt_takes, "joserfc": joserfc_takes, "jwcrypto": jwcrypto_takes}


def main():
    found = []
    for name, library, token in tokens():
        verdicts = {judge: verdict(takes, token) for judge, takes in JUDGES.items()}
        if name == "not yet valid":
            del verdicts["jwcrypto"]  # it looks at nbf only where every token must have one
        found.append({"name": name, "minter": library, "token": token, "verdicts": verdicts})
    print(json.dumps({"keys": public_keys(), "tokens": found}))


main()
