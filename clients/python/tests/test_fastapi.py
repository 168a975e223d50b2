"""The FastAPI dependencies against a running service."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from sallyport import Client, Settings, Subject, TokenOptions, Tokens
from tests.support.fastapi_app import create_app
from tests.support.service import ISSUER
from tests.support.web_world import COOKIE, ORIGIN, OTHER_SITE, Browser, access_token, bearer, browser_of, problem
from tests.support.world import AUDIENCE, PASSWORD, World, enroll, make_api_key, make_user, next_code

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def serving(world: World, issuer: str = "") -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(address=world.address, api_key=world.app_key, audience=AUDIENCE, issuer=issuer)
    app, sallyport = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as http,
    ):
        yield http
    assert sallyport.settings is settings


async def log_in(http: httpx.AsyncClient, name: str = "admin") -> Browser:
    response = await http.post("/login", json={"identifier": f"{name}@example.com", "password": PASSWORD})
    assert response.status_code == 200, response.text
    http.cookies.clear()
    return browser_of(response.headers["set-cookie"], response.json())


def expect(response: httpx.Response, status: int, code: str) -> None:
    assert (response.status_code, response.json()) == (status, problem(status, code))
    assert response.headers["content-type"] == "application/problem+json"


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    begun = asyncio.get_running_loop().time()
    while not await holds():
        assert asyncio.get_running_loop().time() - begun < 15, "it did not come to hold"
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("issuer", ["", ISSUER])
async def test_sessions_and_permissions(world: World, issuer: str) -> None:
    async with serving(world, issuer) as http:
        browser = await log_in(http)
        assert (await http.get("/me", headers=browser.headers())).json()["user"] == world.users["admin"]
        assert (await http.get("/reports/7", headers=browser.headers())).status_code == 200
        assert (await http.post("/reports", headers=browser.headers())).json() == {"written": "yes"}
        form = {"_csrf": browser.csrf_token}
        posted = await http.post("/reports", data=form, headers=browser.headers(x_csrf_token=""))
        assert posted.status_code == 200
        viewer = await log_in(http, "viewer")
        expect(await http.delete("/users/7", headers=viewer.headers()), 403, "forbidden")
        assert (await http.post("/logout", headers=browser.headers())).status_code == 204
        expect(await http.get("/me", headers=browser.headers()), 401, "credential_revoked")
        assert (await http.get("/", headers=browser.headers())).json() == {"user": None}


async def test_forged_and_missing_credentials(world: World) -> None:
    async with serving(world) as http:
        expect(await http.get("/reports/7"), 401, "credential_missing")
        expect(await http.get("/me", headers=Browser("ss_forged", "x").headers()), 401, "credential_invalid")
        browser, other = await log_in(http), await log_in(http, "viewer")
        for headers, code in (
            (browser.headers(x_csrf_token=""), "csrf_token_invalid"),
            (browser.headers(x_csrf_token=other.csrf_token), "csrf_token_invalid"),
            (browser.headers(origin=OTHER_SITE), "csrf_wrong_origin"),
        ):
            for path in ("/reports", "/feedback", "/logout"):
                expect(await http.post(path, headers=headers), 403, code)


async def test_a_cookie_whose_name_begins_with_another_space_is_not_the_session(world: World) -> None:
    async with serving(world) as http:
        session = f"{COOKIE}={(await log_in(http)).cookie}".encode()
        assert (await http.get("/me", headers=[(b"cookie", b"a=b;\t " + session)])).status_code == 200
        # To a browser they are part of the name, so any host of the site may set such a cookie.
        for space in (b"\xa0", b"\x85", b"\x1c", "\u2000".encode()):
            expect(await http.get("/me", headers=[(b"cookie", b"a=b;" + space + session)]), 401, "credential_missing")
        expect(await http.get("/me", headers=[(b"cookie", session + b"; " + session)]), 401, "credential_missing")


@pytest.mark.parametrize("issuer", ["", ISSUER])
async def test_tokens_and_keys(world: World, client: Client, issuer: str) -> None:
    async with serving(world, issuer) as http:
        narrowed = access_token(client, world.users["admin"], scopes=("reports:read",))
        assert (await http.get("/reports/7", headers=bearer(narrowed.access_token))).status_code == 200
        expect(await http.delete("/users/7", headers=bearer(narrowed.access_token)), 403, "forbidden")
        with world.client(tenant="acme") as acme:
            foreign = acme.issue_tokens(Subject("service", "x"), TokenOptions(audience=[AUDIENCE]))
        assert isinstance(foreign, Tokens)
        expect(await http.get("/me", headers=bearer(foreign.access_token)), 401, "credential_invalid")
        with world.admin() as admin:
            key, _ = make_api_key(admin, ("service", "nightly"))
        assert (await http.get("/reports/7", headers={"x-api-key": key})).status_code == 200
        expect(await http.get("/me", headers={"x-api-key": key, **bearer(key)}), 400, "credential_ambiguous")

        client.revoke_sessions(session_id=narrowed.session_id)

        async def is_refused() -> bool:
            return (await http.get("/me", headers=bearer(narrowed.access_token))).status_code == 401

        await eventually(is_refused)


async def test_login_outcomes(world: World) -> None:
    with world.admin() as admin:
        secret = enroll(admin, make_user(admin, "fastapi"))
    async with serving(world) as http:
        first = await http.post("/login", json={"identifier": "fastapi@example.com", "password": PASSWORD})
        assert first.status_code == 202
        step = {"challenge": first.json()["challenge"], "code": next_code(secret)}
        assert (await http.post("/login/code", data=step)).status_code == 200
        guess = {"identifier": "nobody-fastapi@example.com", "password": "wrong"}
        expect(await http.post("/login", json=guess), 401, "invalid_credentials")
        for _ in range(3):
            last = await http.post("/login", json=guess)
        expect(last, 429, "locked")
        assert int(last.headers["retry-after"]) > 0
        no_text = b'{"identifier": "\\ud800", "password": "x"}'
        for content in (b"{", b"[]", b'{"identifier": 7}', no_text):
            expect(await http.post("/login", content=content), 400, "malformed")
        elsewhere = await http.post("/login", json=guess, headers={"origin": OTHER_SITE})
        expect(elsewhere, 403, "csrf_wrong_origin")


async def test_without_sallyport_nothing_passes(world: World) -> None:
    settings = Settings(address="127.0.0.1:1", api_key=world.app_key, audience=AUDIENCE, issuer=ISSUER, timeout=0.5)
    app, sallyport = create_app(settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as http:
        expect(await http.get("/reports/7", headers=Browser("ss_x", "y").headers()), 503, "unavailable")
        expect(await http.post("/login", json={"identifier": "a", "password": "b"}), 503, "unavailable")
    await sallyport.close()
