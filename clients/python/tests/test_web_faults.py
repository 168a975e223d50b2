"""Applications whose Sallyport stops, hangs, restarts or is rolled: nothing passes unauthorized, nothing hangs, and it comes back."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.eventually import eventually
from tests.support.flask_app import create_app
from tests.support.proxy import Proxy
from tests.support.service import ISSUER, Service
from tests.support.web_world import ORIGIN, Browser, access_token, bearer, browser_of, problem
from tests.support.world import AUDIENCE, PASSWORD, World, make_world

PYTHON_CLIENT = Path(__file__).resolve().parents[1]


@pytest.fixture
def own_service() -> Iterator[Service]:
    service = Service()
    yield service
    service.remove()


def application(world: World, address: str, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    for name, value in settings_of(world, address).items():
        monkeypatch.setenv(name, value)
    app = create_app()
    app.config["PREFERRED_URL_SCHEME"] = "https"
    return app.test_client(use_cookies=False)


def settings_of(world: World, address: str) -> dict[str, str]:
    given = {"ADDRESS": address, "API_KEY": world.app_key, "AUDIENCE": AUDIENCE, "ISSUER": ISSUER, "TIMEOUT_MS": "2000"}
    return {f"SALLYPORT_CLIENT_{name}": value for name, value in {**given, "LOGIN_TIMEOUT_MS": "4000"}.items()}


def log_in(http: FlaskClient) -> Browser:
    response = http.post("/login", json={"identifier": "admin@example.com", "password": PASSWORD})
    assert response.status_code == 200, response.text
    return browser_of(response.headers["set-cookie"], response.get_json())


def all_refused(http: FlaskClient, browser: Browser, token: str) -> None:
    """Every way in says 503 within its deadline. A token that verifies here still needs Sallyport for its permission."""
    login = {"identifier": "admin@example.com", "password": PASSWORD}
    requests: list[Callable[[], TestResponse]] = [
        lambda: http.get("/me", headers=browser.headers()),
        lambda: http.get("/reports/7", headers=bearer(token)),
        lambda: http.delete("/users/7", headers=browser.headers()),
        lambda: http.post("/feedback", headers=browser.headers()),
        lambda: http.post("/login", json=login),
        lambda: http.post("/logout", headers=browser.headers()),
        lambda: http.get("/me", headers={"x-api-key": "sk_live_" + "a" * 65}),
    ]
    for request in requests:
        begun = time.monotonic()
        response = request()
        assert (response.status_code, response.get_json()) == (503, problem(503, "unavailable"))
        # Patience for a busy machine; without a deadline it would be for ever.
        assert time.monotonic() - begun < 15
    # What needs nobody is still served.
    assert http.get("/").status_code == 200
    assert http.get("/", headers=browser.headers()).get_json() == {"user": None}


def comes_back(http: FlaskClient, browser: Browser) -> None:
    eventually(lambda: http.get("/reports/7", headers=browser.headers()).status_code == 200)
    assert http.delete("/users/7", headers=browser.headers()).status_code == 204


def test_a_stopped_and_restarted_service(own_service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world(own_service)
    http = application(world, world.address, monkeypatch)
    browser = log_in(http)
    with world.client() as client:
        token = access_token(client, world.users["admin"]).access_token
    assert http.get("/reports/7", headers=bearer(token)).status_code == 200
    own_service.stop()
    all_refused(http, browser, token)
    own_service.restart()
    comes_back(http, browser)
    http.application.extensions["sallyport"].close()


def test_a_network_that_swallows_everything(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Proxy(world.address)
    http = application(world, proxy.address, monkeypatch)
    browser = log_in(http)
    with world.client() as client:
        token = access_token(client, world.users["admin"]).access_token
    assert http.get("/reports/7", headers=bearer(token)).status_code == 200
    proxy.stall()
    all_refused(http, browser, token)
    proxy.flow()
    comes_back(http, browser)
    http.application.extensions["sallyport"].close()
    proxy.close()


def test_a_replica_that_is_cut_off_costs_at_most_the_request_that_it_was_answering(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    replicas = [Proxy(world.address), Proxy(world.address)]
    http = application(world, ",".join(replica.address for replica in replicas), monkeypatch)
    browser = log_in(http)
    eventually(
        lambda: http.get("/me", headers=browser.headers()).status_code == 200 and all(r.connections for r in replicas)
    )
    statuses: list[int] = []
    rolled = threading.Event()

    def roll() -> None:
        for replica in replicas * 3:
            replica.cut()
            seen = len(statuses)
            eventually(lambda seen=seen: len(statuses) > seen + 5)  # type: ignore[misc]
        rolled.set()

    thread = threading.Thread(target=roll)
    thread.start()
    while not rolled.is_set():
        statuses.append(http.get("/reports/7", headers=browser.headers()).status_code)
    thread.join()
    # A call is repeated unless its answer had begun to arrive: then it is UNAVAILABLE.
    assert set(statuses) <= {200, 503}
    assert statuses.count(503) <= 6
    http.application.extensions["sallyport"].close()
    for replica in replicas:
        replica.close()


def test_four_preloaded_gunicorn_workers_have_a_channel_each(world: World, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--preload",
        "--workers",
        "4",
        "--threads",
        "2",
        "--bind",
        "127.0.0.1:0",
    ]
    env = {**os.environ, **settings_of(world, world.address), "SALLYPORT_CLIENT_ORIGINS": ORIGIN, "PYTHONPATH": "."}
    with (tmp_path / "log").open("w+") as log:
        options = {"cwd": PYTHON_CLIENT, "env": env, "stderr": log}
        server = subprocess.Popen([*command, "tests.support.gunicorn_app:app"], **options)  # type: ignore[call-overload]
        try:
            eventually(lambda: "Listening at: http://" in (tmp_path / "log").read_text(), patience=30)
            base = (tmp_path / "log").read_text().partition("Listening at: ")[2].split()[0]
            with world.client() as client:
                token = access_token(client, world.users["admin"]).access_token
            workers: set[int] = set()

            def ask() -> None:
                # A connection for each request, so that the workers take turns.
                response = httpx.get(f"{base}/reports/7", headers=bearer(token), timeout=30)
                assert response.status_code == 200, response.text
                workers.add(response.json()["pid"])

            def all_have_answered() -> bool:
                several = [threading.Thread(target=ask) for _ in range(16)]
                for thread in several:
                    thread.start()
                for thread in several:
                    thread.join()
                return len(workers) == 4

            eventually(all_have_answered, patience=30)
            forged = httpx.get(f"{base}/reports/7", headers=bearer("forged"), timeout=30)
            assert (forged.status_code, forged.json()) == (401, problem(401, "credential_invalid"))
        finally:
            server.terminate()
            server.wait(30)
