"""One way to ask applications of both frameworks: a browser that follows no redirect by itself and keeps cookies by their name."""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI
from flask import Flask

from tests.support.web_world import ORIGIN


@dataclass(frozen=True)
class Visit:
    status: int
    body: Mapping[str, Any]
    text: str
    location: str
    set_cookies: tuple[str, ...]


Ask = Callable[[str, str, dict[str, str], object], Visit]


@dataclass
class Navigator:
    ask: Ask
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> Visit:
        """As a navigation does, without an Origin."""
        return self._keep(self.ask("GET", path, self._headers(), None))

    def post(self, path: str, body: object, **more: str) -> Visit:
        """JSON from a page of the application; `more` are headers."""
        return self._keep(self.ask("POST", path, {**self._headers(), "origin": ORIGIN, **more}, body))

    def _headers(self) -> dict[str, str]:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"cookie": cookie} if cookie else {}

    def _keep(self, visit: Visit) -> Visit:
        for one in visit.set_cookies:
            found = re.match(r"([^=]+)=([^;]*)", one)
            assert found is not None
            if "Max-Age=0" in one:
                self.cookies.pop(found[1], None)
            else:
                self.cookies[found[1]] = found[2]
        return visit


def asks_flask(app: Flask) -> Ask:
    app.config["PREFERRED_URL_SCHEME"] = "https"
    http = app.test_client(use_cookies=False)

    def ask(method: str, path: str, headers: dict[str, str], body: object) -> Visit:
        answer = http.open(path, method=method, headers=headers, json=body)
        location, cookies = answer.headers.get("location", ""), tuple(answer.headers.getlist("set-cookie"))
        return Visit(answer.status_code, answer.get_json(silent=True) or {}, answer.text, location, cookies)

    return ask


@contextmanager
def asks_fastapi(app: FastAPI) -> Iterator[Ask]:
    """The application lives in a loop of its own, which runs while it is asked."""
    loop = asyncio.new_event_loop()

    async def request(method: str, path: str, headers: dict[str, str], body: object) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as http:
            return await http.request(method, path, headers=headers, json=body)

    def ask(method: str, path: str, headers: dict[str, str], body: object) -> Visit:
        answer = loop.run_until_complete(request(method, path, headers, body))
        is_json = answer.text.startswith("{")
        cookies, location = tuple(answer.headers.get_list("set-cookie")), answer.headers.get("location", "")
        return Visit(answer.status_code, answer.json() if is_json else {}, answer.text, location, cookies)

    lifespan = app.router.lifespan_context(app)
    try:
        loop.run_until_complete(lifespan.__aenter__())
        yield ask
        loop.run_until_complete(lifespan.__aexit__(None, None, None))
    finally:
        loop.close()
