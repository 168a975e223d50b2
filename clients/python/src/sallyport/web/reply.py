"""Answers to HTTP requests: what was wrong, by a code for programs, and nothing more (RFC 9457)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from sallyport.names import AccessToken, ApiKey, Credential, SessionToken

PROBLEM_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Reply:
    """A status, a JSON body and headers; without a body it is empty."""

    status: int
    body: Mapping[str, Any] | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def content_type(self) -> str:
        return PROBLEM_TYPE if self.status >= 400 else "application/json"


class Refusal(Exception):
    """The request is not served. `code` is stable: README.md lists all of them."""

    def __init__(self, status: int, code: str, *, retry_after: float | None = None) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.retry_after = retry_after
        """Seconds to wait before the next attempt; None: not said."""

    @property
    def reply(self) -> Reply:
        headers = [("Cache-Control", "no-store")]
        if self.status == HTTPStatus.UNAUTHORIZED:
            # RFC 9110 section 15.5.2 wants one, RFC 6750 section 3.1 the error where a token was sent.
            error = ' error="invalid_token"' if self.code == "access_token_invalid" else ""
            headers.append(("WWW-Authenticate", f"Bearer{error}"))
        if self.retry_after is not None:
            headers.append(("Retry-After", str(max(1, math.ceil(self.retry_after)))))
        body = {"title": HTTPStatus(self.status).phrase, "status": self.status, "code": self.code}
        return Reply(self.status, body, tuple(headers))


def unavailable(retry_after: float | None = None) -> Refusal:
    """Sallyport gave no answer, which is a no for now."""
    return Refusal(503, "unavailable", retry_after=retry_after)


def invalid_credential(credential: Credential) -> Refusal:
    """Not good, whatever the reason: that is for logs, not for whoever sent it."""
    match credential:
        case SessionToken():
            return Refusal(401, "session_invalid")
        case AccessToken():
            return Refusal(401, "access_token_invalid")
        case ApiKey():
            return Refusal(401, "api_key_invalid")
