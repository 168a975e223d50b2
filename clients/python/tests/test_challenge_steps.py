"""A tenant that requires a second factor, with users who have none yet and a password that must go, through both frameworks' guards."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pyotp
import pytest
from fastapi import FastAPI
from flask import Flask, g

from sallyport import Client, Settings
from sallyport.fastapi import Sallyport as FastapiSallyport
from sallyport.flask import Sallyport as FlaskSallyport
from sallyport.v1 import tenant_pb2, tenant_pb2_grpc, user_pb2, user_pb2_grpc
from tests.support.navigator import Ask, Navigator, Visit, asks_fastapi, asks_flask
from tests.support.web_world import COOKIE, OTHER_SITE, problem
from tests.support.world import PASSWORD, World

NEXT_PASSWORD = "Another-Horse-43-Battery"
STEPS: tuple[tuple[str, dict[str, str]], ...] = (
    ("/login/totp", {}),
    ("/login/totp/code", {"code": "123456"}),
    ("/login/password", {"newPassword": NEXT_PASSWORD}),
)


@pytest.fixture(scope="module")
def strict(world: World) -> Iterator[Client]:
    """The administrator of tenant `acme`, where a factor is required for as long as these tests run."""
    with world.admin("acme") as admin:
        _require(admin, tenant_pb2.FACTOR_REQUIREMENT_REQUIRED)
        yield admin
        _require(admin, tenant_pb2.FACTOR_REQUIREMENT_OPTIONAL)


def _require(admin: Client, requirement: tenant_pb2.FactorRequirement.ValueType) -> None:
    settings = tenant_pb2.TenantSettings(factor_policy=tenant_pb2.FactorPolicy(requirement=requirement))
    tenants = admin.stub(tenant_pb2_grpc.TenantServiceStub)
    tenants.UpdateTenant(tenant_pb2.UpdateTenantRequest(tenant="acme", settings=settings))


@pytest.fixture(scope="module", params=["flask", "fastapi"])
def framework(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def asking(framework: str, settings: Settings) -> Iterator[Ask]:
    if framework == "flask":
        app = Flask(__name__)
        flask = FlaskSallyport(app, settings=settings)

        @app.get("/me")
        @flask.require_login
        def me() -> Any:
            return {"user": g.principal.subject.id, "amr": list(g.principal.amr)}

        yield asks_flask(app)
        flask.close()
    else:
        with asks_fastapi(_fastapi_app(settings)) as ask:
            yield ask


def _fastapi_app(settings: Settings) -> FastAPI:
    from fastapi import Request  # noqa: PLC0415

    app = FastAPI()
    sallyport = FastapiSallyport(settings=settings)
    sallyport.init_app(app)

    @app.get("/me")
    async def me(request: Request) -> Any:
        principal = await sallyport.require_login(request)
        return {"user": principal.subject.id, "amr": list(principal.amr)}

    return app


@pytest.fixture(scope="module")
def ask(framework: str, world: World) -> Iterator[Ask]:
    yield from asking(framework, Settings(address=world.address, api_key=world.app_key, tenant="acme"))


@pytest.fixture
def browser(ask: Ask) -> Navigator:
    return Navigator(ask)


Newcomer = Callable[[str], tuple[str, str]]


@pytest.fixture
def newcomer(browser: Navigator, strict: Client, framework: str) -> Newcomer:
    """Adds a user who has been told a password; gives the identifier and the challenge of the first login."""

    def add(name: str) -> tuple[str, str]:
        email = f"{name}-{framework}@example.com"
        identifier = user_pb2.Identifier(kind=user_pb2.IDENTIFIER_KIND_EMAIL, value=email)
        users = strict.stub(user_pb2_grpc.UserServiceStub)
        request = user_pb2.CreateUserRequest(
            tenant="acme", identifiers=[identifier], password=PASSWORD, must_change_password=True
        )
        users.CreateUser(request, timeout=15)
        first = browser.post("/login", {"identifier": email, "password": PASSWORD})
        assert (first.status, first.body["steps"]) == (202, ["ENROLL_TOTP"]), first.text
        return email, first.body["challenge"]

    return add


def expect(visit: Visit, status: int, code: str) -> None:
    assert (visit.status, visit.body, visit.set_cookies) == (status, problem(status, code), ())


def test_a_newcomer_sets_up_a_factor_and_another_password_and_is_logged_in(
    browser: Navigator, newcomer: Newcomer
) -> None:
    email, challenge = newcomer("ada")
    enrolled = browser.post("/login/totp", {"challenge": challenge})
    assert (enrolled.status, set(enrolled.body)) == (200, {"secret", "otpauthUri", "qrSvg"})
    assert enrolled.body["qrSvg"].startswith("<svg ")
    code = pyotp.TOTP(enrolled.body["secret"]).now()
    wrong = f"{(int(code) + 500_000) % 1_000_000:06}"
    for guess in (wrong, "12345"):
        expect(browser.post("/login/totp/code", {"challenge": challenge, "code": guess}), 401, "code_invalid")
    confirmed = browser.post("/login/totp/code", {"challenge": challenge, "code": f"{code[:3]} {code[3:]}"})
    assert (confirmed.status, confirmed.body["steps"]) == (202, ["CHANGE_PASSWORD"]), confirmed.text
    assert len(confirmed.body["recoveryCodes"]) == 10
    expect(browser.post("/login/totp/code", {"challenge": challenge, "code": code}), 401, "challenge_expired")

    change = {"challenge": confirmed.body["challenge"], "newPassword": NEXT_PASSWORD}
    weak = browser.post("/login/password", {**change, "newPassword": "short"})
    assert (weak.status, weak.body["code"], set(weak.body)) == (
        400,
        "password_rejected",
        {"title", "status", "code", "rules"},
    )
    assert "min_length" in weak.body["rules"]
    for impossible in ("", "x" * 1025):
        expect(browser.post("/login/password", {**change, "newPassword": impossible}), 400, "malformed")
    done = browser.post("/login/password", change)
    assert done.status == 200, done.text
    # The form of JavaScript's dates, so that pages need not know which language serves them.
    assert datetime.strptime(done.body["expiresAt"], "%Y-%m-%dT%H:%M:%S.%fZ").year > 2000
    assert len(done.body["expiresAt"]) == len("2026-11-24T12:00:00.000Z")
    me = browser.get("/me").body
    assert (me["user"], me["amr"]) == (done.body["userId"], ["pwd", "otp", "mfa"])
    expect(browser.post("/login/password", change), 401, "challenge_expired")

    # A challenge that asks for a code takes no enrollment and no password.
    following = Navigator(browser.ask).post("/login", {"identifier": email, "password": NEXT_PASSWORD})
    assert following.body["steps"] == ["TOTP", "RECOVERY_CODE"]
    for path in ("/login/totp", "/login/password"):
        step = {"challenge": following.body["challenge"], "newPassword": PASSWORD}
        expect(browser.post(path, step), 400, "malformed")


def test_an_enrollment_that_ends_the_login_answers_with_session_and_recovery_codes(
    browser: Navigator, newcomer: Newcomer, strict: Client
) -> None:
    email, outdated = newcomer("bob")
    users = strict.stub(user_pb2_grpc.UserServiceStub)
    identifier = user_pb2.GetUserRequest(tenant="acme", identifier=email)
    request = user_pb2.SetPasswordRequest(
        tenant="acme", user_id=users.GetUser(identifier).user.id, password=NEXT_PASSWORD
    )
    users.SetPassword(request, timeout=15)
    again = browser.post("/login", {"identifier": email, "password": NEXT_PASSWORD})
    expect(browser.post("/login/totp", {"challenge": outdated}), 401, "challenge_expired")
    step = {"challenge": again.body["challenge"]}
    secret = browser.post("/login/totp", step).body["secret"]
    done = browser.post("/login/totp/code", {**step, "code": pyotp.TOTP(secret).now()})
    assert (done.status, set(done.body)) == (200, {"userId", "csrfToken", "expiresAt", "recoveryCodes"}), done.text
    assert list(browser.cookies) == [COOKIE]
    assert browser.get("/me").status == 200


def test_steps_that_nobody_may_take_now_are_refused_and_say_which(browser: Navigator, newcomer: Newcomer) -> None:
    _, challenge = newcomer("eve")
    unenrolled = {"challenge": challenge, "code": "123456", "newPassword": NEXT_PASSWORD}
    expect(browser.post("/login/totp/code", unenrolled), 401, "challenge_expired")
    expect(browser.post("/login/password", unenrolled), 400, "malformed")
    for path, body in STEPS:
        expect(browser.post(path, {**body, "challenge": "ch_none"}), 401, "challenge_expired")
        expect(browser.post(path, {**body, "challenge": 7}), 400, "malformed")
        forged = browser.post(path, {**body, "challenge": "ch_none"}, origin=OTHER_SITE)
        expect(forged, 403, "csrf_wrong_origin")


def test_while_sallyport_is_away_no_step_is_taken(framework: str, world: World) -> None:
    lost = Settings(address="127.0.0.1:1", api_key=world.app_key, timeout=0.3, login_timeout=0.3)
    for ask in asking(framework, lost):
        for path, body in STEPS:
            expect(Navigator(ask).post(path, {**body, "challenge": "ch_x"}), 503, "unavailable")
