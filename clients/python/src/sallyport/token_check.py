"""What makes an access token good, apart from fetching keys and following revocations (RFC 9068 section 4, RFC 8725)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import jwt

from sallyport.errors import InvalidToken
from sallyport.key_set import ALGORITHMS
from sallyport.names import Subject
from sallyport.outcomes import TokenClaims
from sallyport.revocation_set import RevocationSet
from sallyport.settings import Settings, SettingsError

MAX_TOKEN_CHARS = 16 * 1024
_TYPE = "at+jwt"
_REQUIRED = ["iss", "sub", "aud", "exp", "iat", "jti", "client_id", "sid", "tenant", "epoch"]
# What is not among TokenClaims.claims.
_KNOWN = frozenset({*_REQUIRED, "sub_type", "scope", "auth_time", "acr", "amr", "roles", "act"})


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say. `leeway` is in seconds, for clocks that differ."""

    issuer: str
    audience: str
    tenant: str
    leeway: float

    @classmethod
    def of(cls, settings: Settings, leeway: float) -> "Expected":
        """Raises SettingsError when issuer or audience is not set: without them, a token of anybody for anybody would be good."""
        for value, name in ((settings.issuer, "ISSUER"), (settings.audience, "AUDIENCE")):
            if not value:
                raise SettingsError(f"SALLYPORT_CLIENT_{name} is not set, and access tokens are verified by it")
        return cls(settings.issuer, settings.audience, settings.tenant, leeway)


def key_id_of(token: str) -> str:
    """The `kid` of a token that may be one of ours. Nothing is verified by this. Raises InvalidToken."""
    try:
        header = jwt.get_unverified_header(token) if len(token) <= MAX_TOKEN_CHARS else {}
    except jwt.PyJWTError:
        header = {}
    kid = header.get("kid")
    if header.get("typ") != _TYPE or header.get("alg") not in ALGORITHMS or not isinstance(kid, str):
        raise InvalidToken("CREDENTIAL_INVALID")
    return kid


def check_token(token: str, key: jwt.PyJWK | None, expected: Expected, revocations: RevocationSet) -> TokenClaims:
    """Raises InvalidToken with the reason that the server would give. `key` is the issuer's key of the token's `kid`."""
    if key is None:
        raise InvalidToken("CREDENTIAL_INVALID")
    try:
        payload: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            issuer=expected.issuer,
            audience=expected.audience,
            leeway=expected.leeway,
            options={"require": _REQUIRED},
        )
        claims = _claims_of(payload)
        epoch = int(payload["epoch"])
    except jwt.ExpiredSignatureError:
        raise InvalidToken("CREDENTIAL_EXPIRED") from None
    except jwt.InvalidAudienceError:
        raise InvalidToken("CREDENTIAL_WRONG_AUDIENCE") from None
    except (jwt.PyJWTError, KeyError, TypeError, ValueError):
        raise InvalidToken("CREDENTIAL_INVALID") from None
    if claims.tenant != expected.tenant:
        raise InvalidToken("CREDENTIAL_INVALID")
    key_id = key.key_id or ""
    if revocations.is_revoked(session_id=claims.session_id, key_id=key_id, subject=claims.subject, epoch=epoch):
        raise InvalidToken("CREDENTIAL_REVOKED")
    return claims


def _claims_of(payload: Mapping[str, Any]) -> TokenClaims:
    audience = payload["aud"]
    actor = payload.get("act")
    return TokenClaims(
        issuer=payload["iss"],
        subject=_subject_of(payload),
        audience=(audience,) if isinstance(audience, str) else tuple(audience),
        expire_time=_time_of(payload["exp"]),
        issue_time=_time_of(payload["iat"]),
        token_id=payload["jti"],
        client_id=payload["client_id"],
        scopes=tuple(payload.get("scope", "").split()),
        session_id=payload["sid"],
        tenant=payload["tenant"],
        authentication_time=_time_of(payload["auth_time"]) if "auth_time" in payload else None,
        amr=tuple(payload.get("amr", ())),
        roles=tuple(payload.get("roles", ())),
        actor=None if actor is None else _subject_of(actor),
        claims={name: value for name, value in payload.items() if name not in _KNOWN},
    )


def _subject_of(claims: Mapping[str, Any]) -> Subject:
    # A subject without a type is a user.
    return Subject(claims.get("sub_type", "user"), claims["sub"])


def _time_of(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
