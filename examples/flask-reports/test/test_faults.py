"""Sallyport stops, hangs and restarts under requests: nothing passes unauthorized, nothing hangs, and it comes back."""

import threading
import time
from collections.abc import Callable

from running import Running
from werkzeug.test import TestResponse

from tests.support.eventually import eventually
from tests.support.web_world import Browser, problem


def all_refused(running: Running, ed: Browser, token: dict[str, str]) -> None:
    """503 from every guarded way in. A token that verifies here still needs Sallyport for its permission."""
    http = running.http
    credentials = {"identifier": "ed@reports.example", "password": "whatever"}
    requests: list[Callable[[], TestResponse]] = [
        lambda: http.get("/reports/sales", headers=ed.headers()),
        lambda: http.post("/reports/sales/publish", headers=ed.headers()),
        lambda: http.get("/api/reports/sales", headers=token),
        lambda: http.get("/api/reports/sales", headers=running.machine()),
        lambda: http.post("/api/token", headers=running.machine()),
        lambda: http.post("/login", data=credentials),
    ]
    for request in requests:
        begun = time.monotonic()
        response = request()
        assert (response.status_code, response.get_json()) == (503, problem(503, "unavailable"))
        # Patience for a busy machine; the deadline is 2 s, and 4 s for a login.
        assert time.monotonic() - begun < 15
    # Who shows the token is known without Sallyport, and pages for everybody are served.
    assert http.get("/api/whoami", headers=token).status_code == 200
    assert 'action="/login"' in http.get("/", headers=ed.headers()).text


def comes_back(running: Running, ed: Browser, token: dict[str, str]) -> None:
    eventually(lambda: running.http.get("/reports/sales", headers=ed.headers()).status_code == 200)
    page = running.http.get("/reports/sales", headers=ed.headers()).text
    assert "(published)" not in page, "a refused request did its work"
    assert running.http.get("/api/reports/sales", headers=token).status_code == 200


def test_a_stopped_sallyport_lets_nobody_through_and_is_used_again_when_it_is_back(running: Running) -> None:
    ed, token = running.log_in("ed"), running.token()
    assert running.http.get("/api/whoami", headers=token).status_code == 200
    running.service.stop()
    try:
        all_refused(running, ed, token)
    finally:
        running.service.restart()
    comes_back(running, ed, token)


def test_a_sallyport_that_does_not_answer_costs_the_deadline(running: Running) -> None:
    ed, token = running.log_in("ed"), running.token()
    assert running.http.get("/api/whoami", headers=token).status_code == 200
    running.proxy.stall()
    all_refused(running, ed, token)
    running.proxy.flow()
    comes_back(running, ed, token)


def test_a_restart_in_the_middle_of_requests_passes_nobody_who_may_not(running: Running) -> None:
    ed, rita = running.log_in("ed"), running.log_in("rita")
    allowed: list[int] = []
    denied: list[int] = []
    restarted = threading.Event()

    def restart() -> None:
        try:
            eventually(lambda: len(denied) > 5)
            running.service.restart()
            seen = len(denied)
            eventually(lambda: len(denied) > seen + 5)
        finally:
            restarted.set()

    thread = threading.Thread(target=restart)
    thread.start()
    while not restarted.is_set():
        allowed.append(running.http.get("/reports/salaries", headers=ed.headers()).status_code)
        denied.append(running.http.get("/reports/salaries", headers=rita.headers()).status_code)
    thread.join()
    assert set(allowed) <= {200, 503}
    assert set(denied) <= {403, 503}
    eventually(lambda: running.http.get("/reports/salaries", headers=ed.headers()).status_code == 200)
    assert running.http.get("/reports/salaries", headers=rita.headers()).status_code == 403
