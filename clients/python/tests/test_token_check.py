"""Which tokens are good, told from tokens that are made by hand."""

import time
from datetime import datetime, timedelta, timezone
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from sallyport import InvalidToken, Subject
from sallyport.key_set import MAX_AGE, UNKNOWN_KEY_INTERVAL, KeySet
from sallyport.revocation_set import RevocationSet, UnknownRevocation
from sallyport.token_check import Expected, check_token, key_id_of
from sallyport.v1 import token_pb2

EXPECTED = Expected(issuer="https://id.example.com", audience="reports", tenant="default", leeway=5)
PRIVATE = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KEY = jwt.PyJWK(
    {**jwt.algorithms.ECAlgorithm.to_jwk(PRIVATE.public_key(), as_dict=True), "kid": "k1"}, algorithm="ES256"
)


def payload(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {
        "iss": EXPECTED.issuer,
        "sub": "7",
        "aud": "reports",
        "exp": now + 60,
        "iat": now,
        "jti": "t1",
        "client_id": "service:app",
        "sid": "s1",
        "tenant": "default",
        "epoch": 3,
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def token(key: Any = PRIVATE, algorithm: str = "ES256", typ: str = "at+jwt", **changes: Any) -> str:
    return jwt.encode(payload(**changes), key, algorithm=algorithm, headers={"typ": typ, "kid": "k1"})


def check(text: str, revocations: RevocationSet | None = None) -> Any:
    key_id_of(text)
    return check_token(text, KEY, EXPECTED, revocations or RevocationSet())


def test_a_good_token_says_who_it_is_about() -> None:
    claims = check(token(scope="reports:read reports:list", plan="pro", act={"sub": "shop", "sub_type": "service"}))
    assert claims.subject == Subject("user", "7")
    assert claims.scopes == ("reports:read", "reports:list")
    assert claims.actor == Subject("service", "shop")
    assert claims.claims == {"plan": "pro"}
    assert check(token(sub_type="service")).subject == Subject("service", "7")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"key": OTHER}, "CREDENTIAL_INVALID"),
        ({"typ": "JWT"}, "CREDENTIAL_INVALID"),
        ({"key": "", "algorithm": "none"}, "CREDENTIAL_INVALID"),
        ({"key": RSA, "algorithm": "RS256"}, "CREDENTIAL_INVALID"),
        ({"key": RSA, "algorithm": "PS256"}, "CREDENTIAL_INVALID"),
        ({"iss": "https://id.example.com/t/acme"}, "CREDENTIAL_INVALID"),
        ({"tenant": "acme"}, "CREDENTIAL_INVALID"),
        ({"aud": "billing"}, "CREDENTIAL_WRONG_AUDIENCE"),
        ({"exp": 1_000_000_000}, "CREDENTIAL_EXPIRED"),
        ({"iat": 4_000_000_000, "exp": 4_000_000_060}, "CREDENTIAL_INVALID"),
        ({"exp": None}, "CREDENTIAL_INVALID"),
        ({"aud": None}, "CREDENTIAL_INVALID"),
        ({"sid": None}, "CREDENTIAL_INVALID"),
        ({"epoch": "many"}, "CREDENTIAL_INVALID"),
    ],
)
def test_a_token_that_is_not_quite_right_is_refused_with_the_reason(bad: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidToken) as caught:
        check(token(**bad))
    assert caught.value.reason == reason


def test_the_public_key_is_no_secret_to_sign_with() -> None:
    public = PRIVATE.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    with pytest.raises(InvalidToken):
        check(token(key=public, algorithm="HS256"))


@pytest.mark.parametrize("text", ["", "a.b.c", "x" * 20_000, "sk_live_x", "\N{SNOWMAN}"])
def test_what_is_no_token_at_all_is_refused_before_any_key_is_fetched(text: str) -> None:
    with pytest.raises(InvalidToken):
        key_id_of(text)


def revoke(**revoked: Any) -> token_pb2.Revocation:
    entry = token_pb2.Revocation(**revoked)
    entry.expire_time.FromDatetime(datetime.now(timezone.utc) + timedelta(minutes=15))
    return entry


def changes(*revocations: token_pb2.Revocation) -> token_pb2.WatchRevocationsResponse:
    return token_pb2.WatchRevocationsResponse(
        changes=token_pb2.RevocationChanges(revocations=revocations), position="2.x"
    )


@pytest.mark.parametrize(
    ("entry", "is_good"),
    [
        (revoke(session_id="s1"), False),
        (revoke(session_id="s2"), True),
        (revoke(api_key_id="s1"), False),
        (revoke(signing_key_id="k1"), False),
        (revoke(user=token_pb2.RevokedUser(user_id="7", epoch=4)), False),
        (revoke(user=token_pb2.RevokedUser(user_id="7", epoch=3)), True),
        (revoke(user=token_pb2.RevokedUser(user_id="8", epoch=9)), True),
    ],
)
def test_a_token_is_refused_by_its_session_key_or_epoch(entry: token_pb2.Revocation, is_good: bool) -> None:
    revocations = RevocationSet()
    revocations.take(changes(entry), now=0)
    if is_good:
        check(token(), revocations)
    else:
        with pytest.raises(InvalidToken, match="CREDENTIAL_REVOKED"):
            check(token(), revocations)


def snapshot(*revocations: token_pb2.Revocation, first: bool, last: bool) -> token_pb2.WatchRevocationsResponse:
    part = token_pb2.RevocationSnapshot(revocations=revocations, first=first, last=last)
    return token_pb2.WatchRevocationsResponse(snapshot=part, position="9.y" if last else "")


def test_a_snapshot_counts_as_a_whole_and_replaces_what_was_known() -> None:
    known = RevocationSet()
    known.take(changes(revoke(session_id="old")), now=0)
    known.take(snapshot(revoke(session_id="s1"), first=True, last=False), now=0)
    assert known.position == "2.x"
    check(token(), known)
    known.take(snapshot(revoke(session_id="s2"), first=False, last=True), now=0)
    assert known.position == "9.y"
    for session_id, is_revoked in (("s1", True), ("s2", True), ("old", False)):
        subject = Subject("user", "7")
        assert known.is_revoked(session_id=session_id, key_id="k1", subject=subject, epoch=3) is is_revoked


def heartbeat(as_of: datetime) -> token_pb2.WatchRevocationsResponse:
    response = token_pb2.WatchRevocationsResponse(heartbeat=token_pb2.RevocationHeartbeat())
    response.heartbeat.as_of_time.FromDatetime(as_of)
    return response


def test_what_is_known_grows_old_unless_a_heartbeat_is_newer_than_the_one_before() -> None:
    known = RevocationSet()
    assert known.age(100) == float("inf")
    begin = datetime.now(timezone.utc)
    known.take(heartbeat(begin), now=100)
    known.take(heartbeat(begin), now=110)
    assert known.age(115) == 15
    known.take(heartbeat(begin + timedelta(seconds=1)), now=115)
    assert known.age(115) == 0


def test_an_entry_is_kept_a_day_longer_than_what_it_revokes() -> None:
    known = RevocationSet()
    known.take(changes(revoke(session_id="s1"), revoke(user=token_pb2.RevokedUser(user_id="7", epoch=4))), now=0)
    for hours, is_kept in ((24, True), (25, False)):
        known.take(heartbeat(datetime.now(timezone.utc) + timedelta(hours=hours)), now=0)
        for session_id in ("s1", "other"):
            subject = Subject("user", "7")
            assert known.is_revoked(session_id=session_id, key_id="", subject=subject, epoch=3) is is_kept


def test_a_revocation_of_an_unknown_kind_stops_everything() -> None:
    with pytest.raises(UnknownRevocation):
        RevocationSet().take(changes(revoke()), now=0)
    with pytest.raises(UnknownRevocation):
        RevocationSet().take(token_pb2.WatchRevocationsResponse(), now=0)


def test_keys_are_fetched_when_old_and_at_most_once_a_minute_for_unknown_ones() -> None:
    keys = KeySet()
    assert keys.must_fetch("k1", 0)
    members = jwt.algorithms.ECAlgorithm.to_jwk(PRIVATE.public_key(), as_dict=True)
    ours = {name: members[name] for name in ("kty", "crv", "x", "y")}
    published = [
        token_pb2.JsonWebKey(kid="k1", alg="ES256", use="sig", **ours),
        token_pb2.JsonWebKey(kid="k2", alg="HS256", use="sig", **ours),
    ]
    keys.replace(published, now=0)
    assert keys.key("k1", 1) is not None
    assert keys.key("k2", 1) is None
    assert not keys.must_fetch("k1", MAX_AGE - 1)
    assert keys.must_fetch("k1", MAX_AGE)
    assert keys.key("k1", MAX_AGE) is None
    assert not keys.must_fetch("invented", UNKNOWN_KEY_INTERVAL - 1)
    assert keys.must_fetch("invented", UNKNOWN_KEY_INTERVAL)
    keys.outdate()
    assert keys.must_fetch("invented", 1)
