"""Logins by the package oidc-provider through the guards: the same for Flask and FastAPI."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import pyotp
import pytest
from fastapi import Depends, FastAPI, Request, Response
from flask import Flask, g

from sallyport import Challenge, Settings
from sallyport.v1 import (
    authentication_pb2,
    authentication_pb2_grpc,
    provider_pb2,
    provider_pb2_grpc,
)
from sallyport.web.federated import LOGIN_COOKIE, local_path
from sallyport.web.incoming import RequestPrincipal
from tests.support.navigator import Ask, Navigator, Visit, asks_fastapi, asks_flask
from tests.support.provider import Provider
from tests.support.service import Service
from tests.support.web_world import COOKIE, problem
from tests.support.world import World, make_world, next_code
from tests.test_readme import FASTAPI, FASTAPI_FEDERATED, FLASK, FLASK_FEDERATED, run

REDIRECT_URI = "https://app.example/callback"
FORGET = f"{LOGIN_COOKIE}=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax"
UNKNOWN = "AAAAAAAAAAAAAAAAAAAAAA"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    provider = Provider(REDIRECT_URI)
    yield provider
    provider.stop()


@pytest.fixture(scope="module")
def world(provider: Provider) -> Iterator[World]:
    """A service that knows a provider inside the network."""
    service = Service(
        SALLYPORT_FEDERATION_NETWORKS="127.0.0.1",
        SALLYPORT_FEDERATION_CA_FILE=provider.ca_file,
        # All logins come from one address.
        SALLYPORT_RATE_PER_CLIENT="100000",
    )
    yield make_world(service)
    service.remove()


@pytest.fixture(scope="module")
def providers(world: World, provider: Provider) -> dict[str, str]:
    """Names of the providers of the tests to their ids."""
    with world.admin() as admin:
        stub = admin.stub(provider_pb2_grpc.ProviderServiceStub)

        def register(issuer: str, allow_sign_up: bool = True) -> str:
            request = provider_pb2.CreateProviderRequest(
                display_name="Acme staff",
                oidc=provider_pb2.OidcProvider(issuer=issuer),
                client_id=provider.client_id,
                client_secret=provider.client_secret,
                redirect_uris=[REDIRECT_URI],
                link_by_verified_email=True,
                allow_sign_up=allow_sign_up,
            )
            return stub.CreateProvider(request).provider.id

        disabled = register(provider.issuer)
        stub.UpdateProvider(provider_pb2.UpdateProviderRequest(provider_id=disabled, disabled=True))
        return {
            "staff": register(provider.issuer),
            "closed": register(provider.issuer, allow_sign_up=False),
            "away": register("https://127.0.0.1:1"),
            "disabled": disabled,
            "unknown": UNKNOWN,
        }


def flask_app(settings: Settings, providers: dict[str, str]) -> Flask:
    from sallyport.flask import Sallyport  # noqa: PLC0415

    app = Flask(__name__)
    sallyport = Sallyport(app, settings=settings)

    @app.get("/login/<name>")
    def begin(name: str) -> Any:
        return sallyport.begin_federated_login(providers[name], REDIRECT_URI)

    @app.get("/callback")
    def callback() -> Any:
        return sallyport.finish_federated_login()

    @app.get("/page/callback")
    def page() -> Any:
        return sallyport.finish_federated_login(lambda challenge, path: f"{','.join(challenge.steps)} {path}")

    @app.get("/me")
    @sallyport.require_login
    def me() -> Any:
        return {"user": g.principal.subject.id, "amr": list(g.principal.amr)}

    return app


def fastapi_app(settings: Settings, providers: dict[str, str]) -> FastAPI:
    from sallyport.fastapi import Sallyport  # noqa: PLC0415

    app = FastAPI()
    sallyport = Sallyport(settings=settings)
    sallyport.init_app(app)

    def page(challenge: Challenge, path: str) -> Response:
        return Response(f"{','.join(challenge.steps)} {path}")

    @app.get("/login/{name}")
    async def begin(request: Request, name: str) -> Response:
        return await sallyport.begin_federated_login(request, providers[name], REDIRECT_URI)

    @app.get("/callback")
    async def callback(request: Request) -> Response:
        return await sallyport.finish_federated_login(request)

    @app.get("/page/callback")
    async def page_callback(request: Request) -> Response:
        return await sallyport.finish_federated_login(request, page)

    require_login = Depends(sallyport.require_login)

    @app.get("/me")
    def me(principal: RequestPrincipal = require_login) -> Any:
        return {"user": principal.subject.id, "amr": list(principal.amr)}

    return app


@pytest.fixture(scope="module", params=["flask", "fastapi"])
def framework(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def ask(framework: str, world: World, providers: dict[str, str]) -> Iterator[Ask]:
    yield from asking(framework, Settings(address=world.address, api_key=world.app_key), providers)


def asking(framework: str, settings: Settings, providers: dict[str, str]) -> Iterator[Ask]:
    if framework == "flask":
        app = flask_app(settings, providers)
        yield asks_flask(app)
        app.extensions["sallyport"].close()
    else:
        with asks_fastapi(fastapi_app(settings, providers)) as ask:
            yield ask


@pytest.fixture
def browser(ask: Ask) -> Navigator:
    return Navigator(ask)


Through = Callable[[Navigator, str, str | None], dict[str, str]]


@pytest.fixture
def through(provider: Provider, framework: str) -> Through:
    """Takes the browser to the provider and gives the way back; None cancels there."""

    def go(browser: Navigator, begin: str, account: str | None) -> dict[str, str]:
        begun = browser.get(begin)
        assert begun.status == 303, begun.text
        return provider.browse(begun.location, None if account is None else f"{account}-{framework}")

    return go


def callback(browser: Navigator, way: dict[str, str]) -> Visit:
    return browser.get(f"/callback?{urlencode(way)}")


def expect(visit: Visit, status: int, code: str) -> None:
    """Which refusal, and nothing more; and the login is forgotten."""
    assert (visit.status, visit.body, visit.set_cookies) == (status, problem(status, code), (FORGET,))


def test_a_login_ends_in_a_new_session_where_it_was_begun_for(browser: Navigator, provider: Provider) -> None:
    begun = browser.get("/login/staff?return_to=%2Forders%3Fpage%3D2")
    (kept,) = begun.set_cookies
    assert kept.startswith(f"{LOGIN_COOKIE}=fb_")
    assert kept.endswith("; Max-Age=600; Path=/; HttpOnly; Secure; SameSite=Lax")
    way = provider.browse(begun.location, "ada")
    binding = browser.cookies[LOGIN_COOKIE]
    back = callback(browser, way)
    assert (back.status, back.location) == (303, "/orders?page=2"), back.text
    assert list(browser.cookies) == [COOKIE]
    assert browser.get("/me").body["amr"] == ["fed"]
    again = Navigator(browser.ask, {LOGIN_COOKIE: binding})
    expect(callback(again, way), 401, "federation_login_unknown")


def test_the_session_before_a_login_ends_with_it(browser: Navigator, through: Through) -> None:
    callback(browser, through(browser, "/login/staff", "bob"))
    before = Navigator(browser.ask, dict(browser.cookies))
    back = callback(browser, through(browser, "/login/staff", "bob"))
    assert (back.status, back.location) == (303, "/")
    assert browser.get("/me").status == 200
    assert before.get("/me").body == problem(401, "credential_revoked")


def test_a_login_is_finished_in_the_browser_that_began_it_alone(browser: Navigator, ask: Ask, through: Through) -> None:
    way = through(Navigator(ask), "/login/staff", "mallory")
    expect(callback(browser, way), 401, "federation_login_unknown")
    browser.get("/login/staff")
    expect(callback(browser, way), 401, "federation_login_unknown")
    for forged in ("nonsense", "fb_x.", "fb_x.%", f"fb_{'x' * 300}.Lw"):
        expect(callback(Navigator(ask, {LOGIN_COOKIE: forged}), way), 401, "federation_login_unknown")
    assert not browser.cookies


def test_what_became_of_a_login_is_told_by_its_code_alone(browser: Navigator, through: Through) -> None:
    cancelled = through(browser, "/login/staff", None)
    expect(callback(browser, cancelled), 403, "federation_access_denied")
    expect(callback(browser, through(browser, "/login/closed", "stranger")), 403, "federation_no_account")
    forged = {**through(browser, "/login/staff", "eve"), "code": "forged"}
    expect(callback(browser, forged), 401, "federation_provider_refused")
    mixed_up = {**through(browser, "/login/staff", "eve"), "iss": "https://attacker.example"}
    expect(callback(browser, mixed_up), 401, "federation_response_invalid")
    way = urlencode(through(browser, "/login/staff", "eve"))
    many = urlencode({f"p{index}": "x" for index in range(33)})
    for query in (f"{way}&code=another", "", f"state={'x' * 5000}", many):
        expect(browser.get(f"/callback?{query}"), 400, "malformed")
    assert COOKIE not in browser.cookies


def test_a_second_factor_is_a_challenge_that_the_code_finishes(
    browser: Navigator, world: World, through: Through
) -> None:
    callback(browser, through(browser, "/login/staff", "factor"))
    user_id = browser.get("/me").body["user"]
    with world.admin() as admin:
        stub = admin.stub(authentication_pb2_grpc.AuthenticationServiceStub)
        secret = stub.EnrollTotp(authentication_pb2.EnrollTotpRequest(user_id=user_id)).enrollment.secret
        code = pyotp.TOTP(secret).now()
        stub.ConfirmTotp(authentication_pb2.ConfirmTotpRequest(user_id=user_id, totp_code=code))
    browser.cookies.clear()
    page = f"/page/callback?{urlencode(through(browser, '/login/staff?return_to=/x', 'factor'))}"
    assert browser.get(page).text == "TOTP,RECOVERY_CODE /x"
    assert not browser.cookies
    back = callback(browser, through(browser, "/login/staff", "factor"))
    assert (back.status, back.body["steps"]) == (202, ["TOTP", "RECOVERY_CODE"])
    assert not browser.cookies
    done = browser.post("/login/code", {"challenge": back.body["challenge"], "code": next_code(secret)})
    assert done.status == 200, done.text
    assert browser.get("/me").body["amr"] == ["fed", "otp", "mfa"]


def test_an_answer_of_the_applications_own_is_for_challenges_alone(browser: Navigator, through: Through) -> None:
    back = browser.get(f"/page/callback?{urlencode(through(browser, '/login/staff', 'ida'))}")
    assert (back.status, back.location) == (303, "/")
    assert list(browser.cookies) == [COOKIE]


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("disabled", 403, "federation_provider_disabled"),
        ("away", 503, "unavailable"),
        ("unknown", 500, "misconfigured"),
    ],
)
def test_a_login_that_cannot_begin_sets_no_cookie(browser: Navigator, name: str, status: int, code: str) -> None:
    answer = browser.get(f"/login/{name}")
    assert (answer.status, answer.body, answer.set_cookies) == (status, problem(status, code), ())


def test_a_redirect_uri_that_is_not_the_providers_is_the_applications_fault(
    framework: str, world: World, providers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.test_federated.REDIRECT_URI", "https://elsewhere.example/callback")
    for ask in asking(framework, Settings(address=world.address, api_key=world.app_key), providers):
        assert Navigator(ask).get("/login/staff").body == problem(500, "misconfigured")


def test_while_sallyport_is_away_a_login_neither_begins_nor_ends(
    browser: Navigator, framework: str, world: World, providers: dict[str, str], through: Through
) -> None:
    lost = Settings(address="127.0.0.1:1", api_key=world.app_key, timeout=0.3, login_timeout=0.3)
    way = through(browser, "/login/staff", "ada")
    for ask in asking(framework, lost, providers):
        assert Navigator(ask).get("/login/staff").body == problem(503, "unavailable")
        expect(callback(Navigator(ask, dict(browser.cookies)), way), 503, "unavailable")


def test_the_lines_of_the_readme_log_in_by_a_provider(
    framework: str,
    world: World,
    provider: Provider,
    providers: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PROVIDER_ID", providers["staff"])
    guarded, lines = (FLASK, FLASK_FEDERATED) if framework == "flask" else (FASTAPI, FASTAPI_FEDERATED)
    app = run(guarded + lines, world, monkeypatch)["app"]
    with asks_fastapi(app) if framework == "fastapi" else nullcontext(asks_flask(app)) as ask:
        browser = Navigator(ask)
        begun = browser.get("/login/acme?return_to=/reports/7")
        back = callback(browser, provider.browse(begun.location, "reader"))
        assert (back.status, back.location) == (303, "/reports/7"), back.text
        assert list(browser.cookies) == [COOKIE]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("/", "/"),
        ("/orders/7?page=2#top", "/orders/7?page=2#top"),
        ("/suche?q=größe & mehr", "/suche?q=gr%C3%B6%C3%9Fe%20&%20mehr"),
        ("/a%20b", "/a%20b"),
        ("/.//evil.example", "/.//evil.example"),
        ("", "/"),
        ("orders", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\\..\\b", "/"),
        ("/\t/evil.example", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("\ud800", "/"),
        ("/\ud800", "/"),
        (f"/{'x' * 1023}", f"/{'x' * 1023}"),
        (f"/{'x' * 1024}", "/"),
    ],
)
def test_a_login_returns_to_paths_of_the_application_alone(given: str, path: str) -> None:
    assert local_path(given) == path
    assert urlsplit(urljoin("https://app.example", local_path(given))).netloc == "app.example"
