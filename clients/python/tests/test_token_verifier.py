"""Access tokens verified in the process, against a running service."""

from collections.abc import Iterator

import pytest

from sallyport import Client, InvalidToken, SettingsError, Subject, TokenOptions, Tokens, Unavailable
from sallyport.token_verifier import TokenVerifier
from tests.support.eventually import eventually
from tests.support.service import ISSUER, Service
from tests.support.world import AUDIENCE, World


@pytest.fixture
def verifying(world: World) -> Iterator[Client]:
    with world.client(issuer=ISSUER, audience=AUDIENCE) as client:
        yield client


@pytest.fixture
def verifier(verifying: Client) -> Iterator[TokenVerifier]:
    verifier = TokenVerifier(verifying)
    yield verifier
    verifier.close()


def issue(client: Client, user_id: str, *audience: str) -> Tokens:
    tokens = client.issue_tokens(Subject("user", user_id), TokenOptions(audience=audience or [AUDIENCE]))
    assert isinstance(tokens, Tokens)
    return tokens


def is_good(verifier: TokenVerifier, token: str) -> bool:
    try:
        verifier.verify(token)
    except InvalidToken as error:
        return error.reason != "CREDENTIAL_REVOKED"
    return True


def test_a_token_is_verified_without_asking_and_says_what_the_server_says(
    verifier: TokenVerifier, verifying: Client, world: World
) -> None:
    tokens = issue(verifying, world.users["viewer"])
    assert verifier.verify(tokens.access_token) == verifying.verify_token(tokens.access_token)


def test_tokens_of_others_are_refused(verifier: TokenVerifier, verifying: Client, world: World) -> None:
    user = world.users["viewer"]
    own = issue(verifying, user).access_token
    with pytest.raises(InvalidToken, match="WRONG_AUDIENCE"):
        verifier.verify(issue(verifying, user, "billing").access_token)
    head, body, signature = own.split(".")
    for forged in (f"{head}.{body}.{signature[:-8]}AAAAAAAA", f"{head}.{body}."):
        with pytest.raises(InvalidToken, match="INVALID"):
            verifier.verify(forged)
    with world.client(tenant="acme") as acme:
        foreign = acme.issue_tokens(Subject("service", "x"), TokenOptions(audience=[AUDIENCE]))
    assert isinstance(foreign, Tokens)
    with pytest.raises(InvalidToken, match="INVALID"):
        verifier.verify(foreign.access_token)


def test_a_revoked_session_is_refused_as_soon_as_it_is_told(
    verifier: TokenVerifier, verifying: Client, world: World
) -> None:
    tokens, other = issue(verifying, world.users["viewer"]), issue(verifying, world.users["viewer"])
    assert is_good(verifier, tokens.access_token)
    verifying.revoke_sessions(session_id=tokens.session_id)
    eventually(lambda: not is_good(verifier, tokens.access_token))
    assert is_good(verifier, other.access_token)


def test_silence_about_revocations_is_no_yes(verifying: Client, world: World) -> None:
    verifier = TokenVerifier(verifying, max_revocation_age=0.5)
    tokens = issue(verifying, world.users["viewer"])

    def is_answered() -> bool:
        try:
            verifier.verify(tokens.access_token)
        except Unavailable:
            return False
        return True

    assert is_answered()
    eventually(lambda: not is_answered())
    # News comes with word that nothing is missing.
    verifying.revoke_sessions(session_id=issue(verifying, world.users["viewer"]).session_id)
    eventually(is_answered)
    verifier.close()


def test_it_follows_on_after_a_restart_of_the_service() -> None:
    service = Service()
    try:
        settings = {"address": service.grpc, "api_key": service.admin_key, "issuer": ISSUER, "audience": AUDIENCE}
        with Client.from_env({f"SALLYPORT_CLIENT_{name.upper()}": value for name, value in settings.items()}) as client:
            verifier = TokenVerifier(client)
            first, second = (issue_for_service(client) for _ in range(2))
            assert is_good(verifier, first.access_token)
            service.restart()
            # Without keys or a stream, what was known a moment ago still counts.
            assert is_good(verifier, first.access_token)
            eventually(lambda: is_revoked(client, second))
            eventually(lambda: not is_good(verifier, second.access_token))
            assert is_good(verifier, first.access_token)
            verifier.close()
    finally:
        service.remove()


def is_revoked(client: Client, tokens: Tokens) -> bool:
    """The channel is back at most 2 s after the service."""
    try:
        client.revoke_sessions(session_id=tokens.session_id)
    except Unavailable:
        return False
    return True


def issue_for_service(client: Client) -> Tokens:
    tokens = client.issue_tokens(Subject("service", "batch"), TokenOptions(audience=[AUDIENCE]))
    assert isinstance(tokens, Tokens)
    return tokens


def test_it_is_not_made_without_issuer_and_audience(world: World) -> None:
    for settings in ({"issuer": ISSUER}, {"audience": AUDIENCE}):
        with world.client(**settings) as client, pytest.raises(SettingsError):
            TokenVerifier(client)
