"""What both frameworks' tests do over HTTP, whatever the client: log in, and read what came back."""

import re
from dataclasses import dataclass
from typing import Any

from sallyport import Client, Subject, TokenOptions, Tokens
from sallyport.web.reply import PROBLEMS
from tests.support.world import AUDIENCE

ORIGIN = "https://localhost"
OTHER_SITE = "https://attacker.example"
COOKIE = "__Host-session"


@dataclass(frozen=True)
class Browser:
    """A logged-in user's cookie and CSRF token."""

    cookie: str
    csrf_token: str

    def headers(self, **more: str) -> dict[str, str]:
        """For a request from the application's own page; `more` replaces single headers, an empty one leaves it out."""
        given = {"cookie": f"{COOKIE}={self.cookie}", "origin": ORIGIN, "x-csrf-token": self.csrf_token}
        given |= {name.replace("_", "-"): value for name, value in more.items()}
        return {name: value for name, value in given.items() if value}


def browser_of(set_cookie: str, body: dict[str, Any]) -> Browser:
    found = re.match(rf"{COOKIE}=(ss_[^;]+); Max-Age=\d+; Path=/; HttpOnly; Secure; SameSite=Lax$", set_cookie)
    assert found is not None, set_cookie
    return Browser(found[1], body["csrfToken"])


def problem(status: int, code: str) -> dict[str, Any]:
    """The whole body of a refusal."""
    return {"title": PROBLEMS[code][1], "status": status, "code": code}


def access_token(client: Client, user_id: str, audience: str = AUDIENCE, scopes: tuple[str, ...] = ()) -> Tokens:
    options = TokenOptions(audience=[audience], scopes=scopes)
    tokens = client.issue_tokens(Subject("user", user_id), options)
    assert isinstance(tokens, Tokens)
    return tokens


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}
