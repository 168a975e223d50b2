"""The Flask extension against a running service."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sallyport import Client, Subject, TokenOptions, Tokens
from sallyport.v1 import api_key_pb2, api_key_pb2_grpc
from tests.support.eventually import eventually
from tests.support.flask_app import create_app
from tests.support.service import ISSUER
from tests.support.web_world import ORIGIN, OTHER_SITE, Browser, access_token, bearer, browser_of, problem
from tests.support.world import AUDIENCE, PASSWORD, World, enroll, make_api_key, make_user, next_code


def environment(monkeypatch: pytest.MonkeyPatch, address: str, key: str, **more: str) -> None:
    for name, value in {"ADDRESS": address, "API_KEY": key, "AUDIENCE": AUDIENCE, **more}.items():
        monkeypatch.setenv(f"SALLYPORT_CLIENT_{name}", value)


@pytest.fixture(params=["asked", "local"])
def app(request: pytest.FixtureRequest, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """Access tokens judged by VerifyToken, and in the process."""
    more = {"ISSUER": ISSUER} if request.param == "local" else {}
    environment(monkeypatch, world.address, world.app_key, **more)
    app = create_app()
    yield app
    app.extensions["sallyport"].close()


@pytest.fixture
def http(app: Flask) -> FlaskClient:
    return client_of(app)


def client_of(app: Flask) -> FlaskClient:
    # The cookie is for https only, and the origin of the application's own pages follows from it.
    app.config["PREFERRED_URL_SCHEME"] = "https"
    return app.test_client(use_cookies=False)


def log_in(http: FlaskClient, name: str = "admin") -> Browser:
    response = http.post("/login", json={"identifier": f"{name}@example.com", "password": PASSWORD})
    assert response.status_code == 200, response.text
    return browser_of(response.headers["set-cookie"], response.get_json())


def expect(response: TestResponse, status: int, code: str) -> TestResponse:
    """A refusal that says which and nothing more."""
    assert (response.status_code, response.get_json()) == (status, problem(status, code))
    assert response.content_type == "application/problem+json"
    assert ("www-authenticate" in response.headers) is (status == 401)
    return response


def test_a_password_login_gives_a_cookie_session_that_guards_accept(http: FlaskClient, world: World) -> None:
    browser = log_in(http)
    me = http.get("/me", headers=browser.headers())
    assert me.get_json()["user"] == world.users["admin"]
    assert http.get("/reports/7", headers=browser.headers()).status_code == 200
    assert http.delete("/users/7", headers=browser.headers()).status_code == 204
    assert http.post("/reports", headers=browser.headers()).get_json() == {"written": "yes"}
    # The token of a page that was rendered later is as good.
    later = Browser(browser.cookie, me.get_json()["csrf_token"])
    assert http.post("/reports", headers=later.headers()).status_code == 200


def test_a_form_logs_in_and_carries_the_csrf_token_as_well(http: FlaskClient) -> None:
    response = http.post("/login", data={"identifier": "admin@example.com", "password": PASSWORD})
    browser = browser_of(response.headers["set-cookie"], response.get_json())
    form = {"_csrf": browser.csrf_token}
    assert http.post("/reports", data=form, headers=browser.headers(x_csrf_token="")).status_code == 200


def test_a_login_with_a_second_factor_takes_two_requests(http: FlaskClient, world: World, app: Flask) -> None:
    name = f"flask-{app.extensions['sallyport'].client.settings.issuer and 'local'}"
    with world.admin() as admin:
        secret = enroll(admin, make_user(admin, name))
    first = http.post("/login", json={"identifier": f"{name}@example.com", "password": PASSWORD})
    assert first.status_code == 202
    assert "set-cookie" not in first.headers
    assert first.get_json()["steps"] == ["TOTP", "RECOVERY_CODE"]
    step = {"challenge": first.get_json()["challenge"]}
    expect(http.post("/login/code", json={**step, "code": "000000"}), 401, "code_invalid")
    expect(http.post("/login/code", json={**step, "code": "<>"}), 401, "code_invalid")
    done = http.post("/login/code", json={**step, "code": next_code(secret)})
    assert done.status_code == 200
    browser = browser_of(done.headers["set-cookie"], done.get_json())
    assert http.get("/me", headers=browser.headers()).status_code == 200
    unknown = {"challenge": "ch_made-up", "code": "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA"}
    expect(http.post("/login/code", json=unknown), 401, "challenge_expired")


def test_wrong_passwords_are_401_and_then_429_with_the_time_to_wait(
    http: FlaskClient, world: World, app: Flask
) -> None:
    name = f"locked-{app.extensions['sallyport'].client.settings.issuer and 'local'}"
    with world.admin() as admin:
        make_user(admin, name)
    guess = {"identifier": f"{name}@example.com", "password": "wrong"}
    for _ in range(4):
        last = http.post("/login", json=guess)
    assert int(expect(last, 429, "locked").headers["retry-after"]) > 0
    first = http.post("/login", json={**guess, "identifier": f"nobody-{name}@example.com"})
    expect(first, 401, "invalid_credentials")


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"identifier": 7, "password": "x"},
        {"identifier": "x" * 400, "password": "x"},
        {"identifier": "\ud800", "password": "x"},
        {"identifier": "admin@example.com", "password": "\ud800"},
    ],
)
def test_a_login_that_is_none_is_400(http: FlaskClient, body: object) -> None:
    expect(http.post("/login", json=body), 400, "malformed")


def test_a_login_from_another_sites_page_is_403(http: FlaskClient) -> None:
    given = {"identifier": "admin@example.com", "password": PASSWORD}
    expect(http.post("/login", json=given, headers={"origin": OTHER_SITE}), 403, "csrf_wrong_origin")


def test_the_session_before_a_login_ends_with_it(http: FlaskClient) -> None:
    before = log_in(http)
    given = {"identifier": "admin@example.com", "password": PASSWORD}
    assert http.post("/login", json=given, headers=before.headers()).status_code == 200
    expect(http.get("/me", headers=before.headers()), 401, "credential_revoked")
    # A cookie that cannot be one of ours keeps nobody from logging in.
    assert http.post("/login", json=given, headers={"cookie": "__Host-session=<>"}).status_code == 200


def test_logging_out_ends_the_session_and_takes_the_cookie_away(http: FlaskClient) -> None:
    browser = log_in(http)
    expect(http.post("/logout", headers=browser.headers(x_csrf_token="forged")), 403, "csrf_token_invalid")
    for _ in range(2):
        response = http.post("/logout", headers=browser.headers())
        assert response.status_code == 204
        assert response.headers["set-cookie"].startswith("__Host-session=; Max-Age=0; Path=/;")
    expect(http.get("/me", headers=browser.headers()), 401, "credential_revoked")


def test_without_a_credential_guarded_views_are_401_and_others_are_served(http: FlaskClient) -> None:
    for response in (http.get("/me"), http.get("/reports/7"), http.delete("/users/7")):
        expect(response, 401, "credential_missing")
    assert http.get("/").get_json() == {"user": None}
    assert http.post("/feedback").get_json() == {"thanks": "whoever"}


@pytest.mark.parametrize(
    "cookie", ["ss_forged", "ss_mB0eT4hKq9sWc2yUj6dXfAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "<>"]
)
def test_a_forged_cookie_is_401_and_nobodys_elsewhere(http: FlaskClient, cookie: str) -> None:
    forged = Browser(cookie, "forged")
    expect(http.get("/me", headers=forged.headers()), 401, "credential_invalid")
    expect(http.delete("/users/7", headers=forged.headers()), 401, "credential_invalid")
    assert http.get("/", headers=forged.headers()).get_json() == {"user": None}


def test_an_unsafe_request_without_the_right_csrf_token_and_origin_is_403_before_any_view(http: FlaskClient) -> None:
    browser, other = log_in(http), log_in(http, "viewer")
    for path in ("/reports", "/feedback"):
        for headers, code in (
            (browser.headers(x_csrf_token=""), "csrf_token_invalid"),
            (browser.headers(x_csrf_token="forged"), "csrf_token_invalid"),
            (browser.headers(x_csrf_token=other.csrf_token), "csrf_token_invalid"),
            (browser.headers(origin=OTHER_SITE), "csrf_wrong_origin"),
            (browser.headers(origin="null"), "csrf_wrong_origin"),
            (browser.headers(origin=""), "csrf_wrong_origin"),
        ):
            expect(http.post(path, headers=headers), 403, code)


def test_a_missing_permission_is_403(http: FlaskClient) -> None:
    browser = log_in(http, "viewer")
    assert http.get("/reports/7", headers=browser.headers()).status_code == 200
    expect(http.delete("/users/7", headers=browser.headers()), 403, "forbidden")
    expect(http.get("/shared/7", headers=browser.headers()), 403, "forbidden")


def test_the_scopes_of_an_administrators_token_hold(http: FlaskClient, client: Client, world: World) -> None:
    narrowed = access_token(client, world.users["admin"], scopes=("reports:read",))
    assert http.get("/reports/7", headers=bearer(narrowed.access_token)).status_code == 200
    expect(http.delete("/users/7", headers=bearer(narrowed.access_token)), 403, "forbidden")
    whole = access_token(client, world.users["admin"])
    # A token is sent on purpose, so it needs no CSRF token.
    assert http.delete("/users/7", headers=bearer(whole.access_token)).status_code == 204


def test_tokens_of_another_audience_or_tenant_and_damaged_ones_are_401(
    http: FlaskClient, client: Client, world: World
) -> None:
    own = access_token(client, world.users["admin"]).access_token
    with world.client(tenant="acme") as acme:
        foreign = acme.issue_tokens(Subject("service", "x"), TokenOptions(audience=[AUDIENCE]))
    assert isinstance(foreign, Tokens)
    elsewhere = access_token(client, world.users["admin"], "billing").access_token
    expect(http.get("/reports/7", headers=bearer(elsewhere)), 401, "credential_wrong_audience")
    for token in (
        foreign.access_token,
        f"{own[:-8]}AAAAAAAA",
        "nonsense",
        "<>",
        "x" * 9000,
    ):
        expect(http.get("/reports/7", headers=bearer(token)), 401, "credential_invalid")


def test_api_keys_are_taken_from_both_headers_and_one_of_each_is_401(http: FlaskClient, world: World) -> None:
    with world.admin() as admin:
        key, key_id = make_api_key(admin, ("service", "nightly"))
        for headers in (bearer(key), {"x-api-key": key}):
            assert http.get("/reports/7", headers=headers).status_code == 200
            assert http.get("/me", headers=headers).get_json()["user"] == "nightly"
            expect(http.delete("/users/7", headers=headers), 403, "forbidden")
        expect(http.get("/me", headers={**bearer(key), "x-api-key": key}), 400, "credential_ambiguous")
        expect(http.get("/me", headers={"x-api-key": "sk_live_" + "a" * 65}), 401, "credential_invalid")

        stub = admin.stub(api_key_pb2_grpc.ApiKeyServiceStub)
        stub.RevokeApiKey(api_key_pb2.RevokeApiKeyRequest(key_id=key_id))
    expect(http.get("/me", headers={"x-api-key": key}), 401, "credential_revoked")


def test_a_revoked_session_is_401_within_a_second(http: FlaskClient, client: Client, world: World) -> None:
    browser, tokens = log_in(http), access_token(client, world.users["admin"])
    for headers in (browser.headers(), bearer(tokens.access_token)):
        assert http.get("/me", headers=headers).status_code == 200
    client.revoke_sessions(session_token=browser.cookie)
    client.revoke_sessions(session_id=tokens.session_id)
    # Whoever is asked knows at once; a process that follows is told within a second.
    expect(http.get("/reports/7", headers=browser.headers()), 401, "credential_revoked")
    eventually(lambda: http.get("/me", headers=bearer(tokens.access_token)).status_code == 401)
    expect(http.get("/reports/7", headers=bearer(tokens.access_token)), 401, "credential_revoked")


def test_without_an_audience_no_access_token_is_accepted(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment(monkeypatch, world.address, world.app_key, AUDIENCE="")
    token = access_token(client, world.users["admin"]).access_token
    expect(client_of(create_app()).get("/me", headers=bearer(token)), 401, "credential_wrong_audience")


def test_paths_and_the_name_of_the_cookie_are_the_applications_to_choose(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment(monkeypatch, world.address, world.app_key, ORIGINS=ORIGIN)
    from sallyport.flask import Sallyport  # noqa: PLC0415

    app = Flask(__name__)
    app.config |= {"SALLYPORT_LOGIN_PATH": "/in", "SALLYPORT_LOGOUT_PATH": None, "SALLYPORT_COOKIE_NAME": "__Host-id"}
    Sallyport(app)
    http = client_of(app)
    response = http.post("/in", json={"identifier": "admin@example.com", "password": PASSWORD})
    assert response.headers["set-cookie"].startswith("__Host-id=ss_")
    assert http.post("/logout").status_code == 404
