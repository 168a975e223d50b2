"""The public keys of a tenant's issuer, as they were fetched last: when to fetch them again, and what a token's `kid` means.

Only bookkeeping: the verifiers fetch, by GetJwks over the channel that they have anyway, and hold a lock while they do.
"""

from collections.abc import Iterable

import jwt

from sallyport.v1 import token_pb2

# The algorithms that Sallyport signs with. A key is good for its own algorithm only (RFC 8725 section 3.1).
ALGORITHMS = frozenset({"ES256", "EdDSA", "Ed25519", "RS256"})

MAX_AGE = 15 * 60.0
"""Seconds for which a fetched set may be used."""
UNKNOWN_KEY_INTERVAL = 60.0
"""Seconds between two fetches that an unknown `kid` causes: tokens with invented ones must not become load for the server."""

_MEMBERS = ("kty", "use", "alg", "kid", "crv", "x", "y", "n", "e")


class KeySet:
    """Times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at: float | None = None
        self._is_outdated = False

    def key(self, kid: str, now: float) -> jwt.PyJWK | None:
        """None: unknown, or the set is too old to say."""
        if self._fetched_at is None or now - self._fetched_at >= MAX_AGE:
            return None
        return self._keys.get(kid)

    def must_fetch(self, kid: str, now: float) -> bool:
        """Whether `kid` can only be told after fetching, and a fetch is due."""
        if self._fetched_at is None or now - self._fetched_at >= MAX_AGE:
            return True
        if kid in self._keys:
            return False
        return self._is_outdated or now - self._fetched_at >= UNKNOWN_KEY_INTERVAL

    def replace(self, keys: Iterable[token_pb2.JsonWebKey], now: float) -> None:
        """Takes what GetJwks answered; `now` is from before the call. Keys of an algorithm that is not ours are left out."""
        usable = [key for key in keys if key.alg in ALGORITHMS and key.kid]
        members = [{name: getattr(key, name) for name in _MEMBERS if getattr(key, name)} for key in usable]
        self._keys = {one["kid"]: jwt.PyJWK(one, algorithm=one["alg"]) for one in members}
        self._fetched_at = now
        self._is_outdated = False

    def outdate(self) -> None:
        """The issuer's keys changed: the next unknown `kid` may fetch at once."""
        self._is_outdated = True
