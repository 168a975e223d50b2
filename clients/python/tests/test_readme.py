"""The programs of README.md run, and the first guards an application in less than 20 lines."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.web_world import browser_of
from tests.support.world import PASSWORD, World

README = (Path(__file__).resolve().parents[1] / "README.md").read_text()
FLASK, FLASK_FEDERATED, FASTAPI_FEDERATED, FASTAPI, CALLS = re.findall(
    r"^```python\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL
)


def run(program: str, world: World, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("SALLYPORT_CLIENT_ADDRESS", world.address)
    monkeypatch.setenv("SALLYPORT_CLIENT_API_KEY", world.app_key)
    names: dict[str, Any] = {"__name__": "readme"}
    exec(compile(program, "README.md", "exec"), names)  # noqa: S102
    return names


def test_a_flask_application_is_guarded_in_less_than_20_lines(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len([line for line in FLASK.splitlines() if line.strip()]) < 20
    app = run(FLASK, world, monkeypatch)["app"]
    app.config["PREFERRED_URL_SCHEME"] = "https"
    http = app.test_client(use_cookies=False)
    assert http.delete("/users/7").status_code == 401
    for name, status in (("admin", 204), ("viewer", 403)):
        login = http.post("/login", json={"identifier": f"{name}@example.com", "password": PASSWORD})
        browser = browser_of(login.headers["set-cookie"], login.get_json())
        assert http.get("/me", headers=browser.headers()).get_json()["user"] == world.users[name]
        assert http.delete("/users/7", headers=browser.headers()).status_code == status
        assert http.delete("/users/7", headers=browser.headers(x_csrf_token="")).status_code == 403


@pytest.mark.asyncio
async def test_a_fastapi_application_is_guarded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    transport = httpx.ASGITransport(run(FASTAPI, world, monkeypatch)["app"])
    async with httpx.AsyncClient(transport=transport, base_url="https://localhost") as http:
        assert (await http.delete("/users/7")).status_code == 401
        login = await http.post("/login", json={"identifier": "admin@example.com", "password": PASSWORD})
        http.cookies.clear()
        browser = browser_of(login.headers["set-cookie"], login.json())
        assert (await http.delete("/users/7", headers=browser.headers())).status_code == 204


def test_the_calls_are_as_written(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(CALLS, world, monkeypatch)
    assert capsys.readouterr().out.startswith("UNKNOWN_PERMISSION")
