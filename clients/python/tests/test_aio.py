"""The calls of the asyncio client against a running service."""

import asyncio

import grpc
import pytest

from sallyport import (
    AccessToken,
    Authenticated,
    CallerRefused,
    Challenge,
    CookieOptions,
    Question,
    Rejected,
    SessionToken,
    Settings,
    Subject,
    TokenOptions,
    Tokens,
    Unavailable,
    error_of,
)
from sallyport.aio import Client
from sallyport.outcomes import Inactive, Session, TokenClaims
from sallyport.v1 import token_pb2, token_pb2_grpc, user_pb2, user_pb2_grpc
from tests.support.world import AUDIENCE, PASSWORD, World, enroll, make_user, next_code

pytestmark = pytest.mark.asyncio


def client_of(world: World) -> Client:
    return Client(Settings(address=world.address, api_key=world.app_key))


async def test_the_six_calls_answer_as_those_of_the_blocking_client(world: World) -> None:
    with world.admin() as admin:
        secret = enroll(admin, make_user(admin, "aio"))
    async with client_of(world) as client:
        login = await client.authenticate("aio@example.com", PASSWORD)
        assert isinstance(login, Challenge)
        done = await client.verify_totp(login.challenge_token, totp_code=next_code(secret))
        assert isinstance(done, Authenticated)
        issued = await client.issue_tokens(done.authentication_token, TokenOptions(audience=[AUDIENCE]))
        assert isinstance(issued, Tokens)
        rotated = await client.rotate_refresh(issued.refresh_token)
        assert isinstance(rotated, Tokens)
        assert not await client.authorize(AccessToken(rotated.access_token), "reports:read")
        assert isinstance(await client.verify_token(rotated.access_token), TokenClaims)
        assert (await client.verify_api_key("sk_live_" + "a" * 65)).decision.reason == "CREDENTIAL_INVALID"


async def test_sessions_and_batches(world: World) -> None:
    async with client_of(world) as client:
        login = await client.authenticate("viewer@example.com", PASSWORD, issue=CookieOptions())
        assert isinstance(login, Authenticated)
        assert login.session is not None
        token = login.session.session_token
        assert isinstance(await client.verify_session(token, "GET"), Session)
        questions = [Question("reports:read"), Question("users:delete")]
        assert [bool(one) for one in await client.batch_authorize(SessionToken(token), questions)] == [True, False]
        assert await client.revoke_sessions(session_token=token) == 1
        assert isinstance(await client.verify_session(token, "GET"), Inactive)
        assert await client.rotate_refresh("rt_nonsense") == Rejected(reason="REFRESH_UNKNOWN")


async def test_many_calls_at_once_share_one_channel(world: World) -> None:
    viewer = Subject("user", world.users["viewer"])
    async with client_of(world) as client:
        answers = await asyncio.gather(*(client.authorize(viewer, "reports:read") for _ in range(200)))
    assert all(answers)


async def test_generated_stubs_are_typed_for_asyncio_and_streams_stay_open(world: World) -> None:
    async with client_of(world) as client:
        with pytest.raises(grpc.RpcError) as caught:
            await client.stub(user_pb2_grpc.UserServiceStub).GetUser(user_pb2.GetUserRequest(user_id="x"))
        assert isinstance(error_of(caught.value), CallerRefused)
        stream = client.stub(token_pb2_grpc.TokenServiceStub).WatchRevocations(token_pb2.WatchRevocationsRequest())
        async for response in stream:
            if response.HasField("heartbeat"):
                break
        stream.cancel()


async def test_a_server_that_is_not_there_is_unavailable(world: World) -> None:
    async with Client(Settings(address="127.0.0.1:1", api_key=world.app_key)) as client:
        with pytest.raises(Unavailable):
            await client.authorize(Subject("user", "1"), "reports:read")


async def test_a_closed_client_opens_again(world: World) -> None:
    client = client_of(world)
    viewer = Subject("user", world.users["viewer"])
    for _ in range(2):
        assert await client.authorize(viewer, "reports:read")
        await client.close()
