"""Verifies each token of the environment against the JWKS of one issuer, as a service that uses PyJWT would."""

import json
import os
import urllib.request

import jwt

issuer = os.environ["ISSUER"]
with urllib.request.urlopen(f"{issuer}/.well-known/openid-configuration") as response:
    metadata = json.load(response)
assert metadata["issuer"] == issuer, metadata
keys = jwt.PyJWKClient(metadata["jwks_uri"])


def verdict(token: str) -> str:
    try:
        key = keys.get_signing_key_from_jwt(token)
        claims = jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            issuer=issuer,
            audience=os.environ["AUDIENCE"],
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
        )
        return claims["sub"]
    except jwt.PyJWTError:
        return "refused"


print(json.dumps([verdict(token) for token in json.loads(os.environ["TOKENS"])]))
