"""The calls of the blocking client against a running service."""

import grpc
import pytest

from sallyport import (
    AccessToken,
    ApiKey,
    Authenticated,
    CallerRefused,
    Challenge,
    Client,
    CookieOptions,
    Device,
    InvalidRequest,
    Question,
    Rejected,
    SessionToken,
    Settings,
    Subject,
    TokenClaims,
    TokenOptions,
    Tokens,
    error_of,
)
from sallyport.outcomes import Inactive, Session
from sallyport.v1 import user_pb2, user_pb2_grpc
from tests.support.world import AUDIENCE, PASSWORD, World, make_api_key, next_code

ORIGIN = "https://reports.example.com"


def test_a_password_login_ends_in_tokens_that_rotate_and_are_good_for_what_their_scopes_allow(
    client: Client, world: World
) -> None:
    options = TokenOptions(audience=[AUDIENCE], scopes=["reports:*"], claims={"plan": "pro"})
    login = client.authenticate("admin@example.com", PASSWORD, issue=options)
    assert isinstance(login, Authenticated)
    assert login.tokens is not None
    rotated = client.rotate_refresh(login.tokens.refresh_token)
    assert isinstance(rotated, Tokens)
    assert rotated.refresh_token != login.tokens.refresh_token

    token = AccessToken(rotated.access_token)
    assert client.authorize(token, "reports:read")
    refused = client.authorize(token, "users:delete")
    assert not refused
    assert refused.reason == "OUT_OF_SCOPE"
    claims = client.verify_token(rotated.access_token, audience=AUDIENCE)
    assert isinstance(claims, TokenClaims)
    assert claims.subject == Subject("user", world.users["admin"])
    assert (claims.scopes, claims.audience, claims.claims) == (("reports:*",), (AUDIENCE,), {"plan": "pro"})
    assert client.verify_token(rotated.access_token, audience="other") == Inactive(reason="CREDENTIAL_WRONG_AUDIENCE")


def test_a_login_with_a_second_factor_takes_two_steps(client: Client, world: World) -> None:
    first = client.authenticate("careful@example.com", PASSWORD)
    assert isinstance(first, Challenge)
    assert first.steps[0] == "TOTP"
    wrong = client.verify_totp(first.challenge_token, totp_code="000000")
    assert wrong == Rejected(reason="CODE_INVALID")
    second = client.verify_totp(first.challenge_token, totp_code=next_code(world.totp_secret))
    assert isinstance(second, Authenticated)
    assert second.methods == ("PASSWORD", "TOTP")
    issued = client.issue_tokens(second.authentication_token, TokenOptions(audience=[AUDIENCE]))
    assert isinstance(issued, Tokens)


def test_a_wrong_password_is_an_answer_and_no_error(client: Client) -> None:
    device = Device(ip="192.0.2.77")
    assert client.authenticate("viewer@example.com", "wrong", device=device) == Rejected(reason="INVALID_CREDENTIALS")


def test_a_cookie_session_is_verified_and_ends_when_it_is_revoked(client: Client, world: World) -> None:
    login = client.authenticate("viewer@example.com", PASSWORD, issue=CookieOptions())
    assert isinstance(login, Authenticated)
    assert login.session is not None
    assert login.session.set_cookie.startswith("__Host-session=ss_")
    token = login.session.session_token
    session = client.verify_session(token, "get")
    assert isinstance(session, Session)
    assert session.subject == Subject("user", world.users["viewer"])
    posted = client.verify_session(
        token, "POST", origin=ORIGIN, allowed_origins=[ORIGIN], csrf_token=session.csrf_token
    )
    assert isinstance(posted, Session)
    forged = client.verify_session(token, "POST", origin=ORIGIN, allowed_origins=[ORIGIN], csrf_token="forged")
    assert forged == Inactive(reason="CSRF_TOKEN_INVALID")
    assert client.authorize(SessionToken(token), "reports:read")
    assert client.revoke_sessions(session_token=token) == 1
    assert isinstance(client.verify_session(token, "GET"), Inactive)


def test_an_api_key_is_verified_with_and_without_a_permission(client: Client, world: World) -> None:
    with world.admin() as admin:
        key, key_id = make_api_key(admin, ("service", "nightly"))
    verdict = client.verify_api_key(key)
    assert verdict
    assert (verdict.key_id, verdict.owner) == (key_id, Subject("service", "nightly"))
    assert client.verify_api_key(key, "reports:read", ("report", "42"))
    assert not client.verify_api_key(key, "users:delete")
    assert client.authorize(ApiKey(key), "reports:read")
    tokens = client.issue_tokens(ApiKey(key), TokenOptions(audience=[AUDIENCE]))
    assert isinstance(tokens, Tokens)
    assert client.verify_api_key("sk_live_" + "a" * 65).decision.reason == "CREDENTIAL_INVALID"


def test_a_batch_is_answered_in_order_and_a_bad_item_is_a_no(client: Client, world: World) -> None:
    viewer = Subject("user", world.users["viewer"])
    questions = [
        Question("reports:read"),
        Question("users:delete"),
        Question(""),
        Question("reports:read", ("report", "1")),
    ]
    decisions = client.batch_authorize(viewer, questions)
    assert [bool(one) for one in decisions] == [True, False, False, True]
    assert decisions[2].error == "INVALID_ARGUMENT"


def test_a_decision_explains_itself_and_names_its_revision(client: Client, world: World) -> None:
    viewer = Subject("user", world.users["viewer"])
    decision = client.authorize(viewer, "reports:read", explain=True)
    assert decision.explanation
    assert client.authorize(viewer, "reports:read", at_least_revision=decision.revision)


def test_an_error_carries_code_reason_and_violations(client: Client, world: World) -> None:
    with pytest.raises(InvalidRequest) as caught:
        client.authenticate("x" * 400, PASSWORD)
    assert caught.value.reason == "INVALID_ARGUMENT"
    assert [violation.field for violation in caught.value.violations] == ["password.identifier"]
    with world.client(api_key="sk_live_" + "a" * 65) as stranger, pytest.raises(CallerRefused) as refused:
        stranger.authorize(Subject("user", "1"), "reports:read")
    assert refused.value.reason == "CALLER_UNAUTHENTICATED"
    assert "aaaa" not in str(refused.value)


def test_generated_stubs_share_the_channel_the_key_and_the_error_details(client: Client) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        client.stub(user_pb2_grpc.UserServiceStub).GetUser(user_pb2.GetUserRequest(user_id="nobody"))
    error = error_of(caught.value)
    # The application may create users and not read them.
    assert isinstance(error, CallerRefused)
    assert error.reason == "CALLER_NOT_PERMITTED"


def test_a_closed_client_opens_again(world: World) -> None:
    client = world.client()
    viewer = Subject("user", world.users["viewer"])
    assert client.authorize(viewer, "reports:read")
    client.close()
    assert client.authorize(viewer, "reports:read")
    client.close()


def test_secrets_are_in_no_repr(client: Client) -> None:
    login = client.authenticate("viewer@example.com", PASSWORD, issue=TokenOptions(audience=[AUDIENCE]))
    assert isinstance(login, Authenticated)
    assert login.tokens is not None
    text = repr(
        (login, AccessToken(login.tokens.access_token), Settings(address="127.0.0.1:1", api_key="sk_live_" + "b" * 65))
    )
    for secret in (login.tokens.access_token, login.tokens.refresh_token, "bbbb"):
        assert secret not in text
