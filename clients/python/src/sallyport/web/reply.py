"""Answers to HTTP requests: what was wrong, by a code for programs, and nothing more (RFC 9457)."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

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


# Every refusal there is: status and title. The codes are stable, and the same as those of @sallyport/client.
PROBLEMS: Mapping[str, tuple[int, str]] = {
    "malformed": (400, "The request lacks what this needs, or holds it in another form."),
    "credential_ambiguous": (400, "More than one credential was sent."),
    "credential_missing": (401, "Log in, or send a token or an API key."),
    "credential_invalid": (401, "The session, token or API key is not valid here."),
    "credential_expired": (401, "The session, token or API key has expired."),
    "credential_revoked": (401, "The session, token or API key was revoked."),
    "credential_wrong_audience": (401, "The token is for another service."),
    "invalid_credentials": (401, "The name or the password is wrong."),
    "code_invalid": (401, "The code is wrong."),
    "code_already_used": (401, "The code was used before. Wait for the next one."),
    "password_rejected": (400, "The new password breaks rules."),
    "challenge_expired": (401, "The login took too long. Begin again."),
    "federation_login_unknown": (401, "The login took too long, or was begun elsewhere. Begin again."),
    "federation_provider_refused": (401, "The identity provider refused the login. Begin again."),
    "federation_response_invalid": (401, "The answer of the identity provider is not valid. Begin again."),
    "federation_access_denied": (403, "The login was cancelled, or denied by the identity provider."),
    "federation_provider_disabled": (403, "This identity provider is not in use here."),
    "federation_no_account": (403, "There is no account here for this login."),
    "credential_wrong_network": (403, "The API key may not be used from here."),
    "subject_disabled": (403, "The account is disabled."),
    "csrf_wrong_origin": (403, "The request does not come from a page of this application."),
    "csrf_token_invalid": (403, "The CSRF token is missing, or of another session."),
    "forbidden": (403, "This is not permitted."),
    "credential_rate_limited": (429, "The API key is used too often."),
    "locked": (429, "Too many failed attempts. Wait before the next one."),
    "rate_limited": (429, "Too many attempts. Wait before the next one."),
    "misconfigured": (500, "The application cannot check who you are."),
    "unavailable": (503, "It cannot be checked now whether this is permitted. Try again."),
}


class Refusal(Exception):
    """The request is not served. `code` is one of PROBLEMS."""

    def __init__(self, code: str, *, retry_after: float | None = None, rules: Iterable[str] = ()) -> None:
        self.status, self.title = PROBLEMS[code]
        super().__init__(self.title)
        self.code = code
        self.retry_after = retry_after
        """Seconds to wait before the next attempt; None: not said."""
        self.rules = tuple(rules)
        """With `password_rejected`: the rules that the password breaks."""
        self.headers: tuple[tuple[str, str], ...] = ()
        """Further ones of the answer."""

    @property
    def reply(self) -> Reply:
        headers = [("Cache-Control", "no-store"), *self.headers]
        if self.status == HTTPStatus.UNAUTHORIZED:
            # RFC 9110 section 15.5.2 wants a challenge with every 401.
            headers.append(("WWW-Authenticate", "Bearer"))
        if self.retry_after is not None:
            headers.append(("Retry-After", str(max(1, math.ceil(self.retry_after)))))
        body = {"title": self.title, "status": self.status, "code": self.code}
        return Reply(self.status, {**body, "rules": list(self.rules)} if self.rules else body, tuple(headers))


def unavailable(retry_after: float | None = None) -> Refusal:
    """Sallyport gave no answer, which is a no for now."""
    return Refusal("unavailable", retry_after=1 if retry_after is None else retry_after)
