"""A login by an identity provider: two navigations of the browser, and between them one cookie that shows it to be the same browser."""

import base64
import binascii
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote

from sallyport import login_operations
from sallyport.errors import FailedPrecondition, InvalidRequest, SallyportError
from sallyport.outcomes import FederatedLogin, LoginOutcome, Rejected
from sallyport.settings import Settings
from sallyport.web.incoming import Incoming
from sallyport.web.reply import Refusal, Reply
from sallyport.web.steps import Steps, cookie_options, login_reply, no_answer, refusal_of, refuse_other_sites

# No other host can set a cookie of this name, and no page can read it. One login at a time: of two tabs the later one counts, so that no
# site can fill a browser's jar by beginning logins.
LOGIN_COOKIE = "__Host-federated-login"
# Lax: it must come along when the provider sends the browser back.
_ATTRIBUTES = "Path=/; HttpOnly; Secure; SameSite=Lax"
_LOGIN_SECONDS = 600
"""As long as Sallyport waits for the callback."""
_FORGET = ("Set-Cookie", f"{LOGIN_COOKIE}=; Max-Age=0; {_ATTRIBUTES}")

_KEPT = re.compile(r"(fb_[A-Za-z0-9_-]{1,256})\.([A-Za-z0-9_-]*)")
_MAX_PARAMETERS = 32
_MAX_PARAMETER = 4096
_MAX_PATH = 1024
# Two slashes or a backslash would name another host, and browsers drop some control characters, which makes another URL of the rest.
_PATH = re.compile(r"/(?!/)[^\\\x00-\x1f\x7f]*")


def begin(settings: Settings, incoming: Incoming, provider_id: str, redirect_uri: str) -> Steps[Reply]:
    """303 to the provider, with the cookie; the query may hold `return_to`, a path of this application. Raises Refusal."""
    refuse_other_sites(incoming)
    return_to = local_path(dict(_pairs(incoming)).get("return_to", "/"))
    try:
        outcome: FederatedLogin | Rejected = yield login_operations.begin_federated_login(
            settings.tenant, provider_id, redirect_uri, incoming.device
        )
    except InvalidRequest as error:
        # Both are the application's own.
        raise no_answer(SallyportError(str(error))) from None
    except SallyportError as error:
        if isinstance(error, FailedPrecondition) and error.reason == "PROVIDER_DISABLED":
            raise Refusal("federation_provider_disabled") from None
        raise no_answer(error) from None
    if isinstance(outcome, Rejected):
        raise refusal_of(outcome)
    path = base64.urlsafe_b64encode(return_to.encode()).decode().rstrip("=")
    cookie = f"{LOGIN_COOKIE}={outcome.browser_binding}.{path}; Max-Age={_LOGIN_SECONDS}; {_ATTRIBUTES}"
    headers = (("Location", outcome.authorization_url), ("Set-Cookie", cookie), ("Cache-Control", "no-store"))
    return Reply(303, None, headers)


def finish(settings: Settings, incoming: Incoming, cookie_name: str) -> Steps[tuple[LoginOutcome, str]]:
    """Ends the login with what the provider sent the browser back with; gives the path that it was begun for, too. It works once. Raises
    Refusal.
    """
    try:
        parameters = _parameters(incoming)
        kept = _KEPT.fullmatch(incoming.login_cookie)
        if kept is None:
            raise Refusal("federation_login_unknown")
        issue = cookie_options(incoming, cookie_name)
        try:
            outcome: LoginOutcome = yield login_operations.authenticate_federated(
                settings.tenant, parameters, kept[1], issue, incoming.device
            )
        except SallyportError as error:
            raise no_answer(error) from None
        if isinstance(outcome, Rejected):
            raise refusal_of(outcome)
    except Refusal as refusal:
        refusal.headers = (_FORGET,)
        raise
    return outcome, local_path(_decoded(kept[2]))


def finish_headers() -> tuple[tuple[str, str], ...]:
    """Of any answer that ends a login: the browser forgets what it kept for it."""
    return (_FORGET, ("Cache-Control", "no-store"))


def finish_reply(outcome: LoginOutcome, return_to: str) -> Reply:
    """303 to where the login was begun for, with the session's cookie, or 202 with the challenge."""
    reply = login_reply(outcome)
    if reply.status == 202:
        return Reply(202, reply.body, (_FORGET, *reply.headers))
    return Reply(303, None, (_FORGET, *reply.headers, ("Location", return_to)))


def local_path(text: str) -> str:
    """`text` where it is a path of this application, ready for a Location header; else `/`."""
    if _PATH.fullmatch(text) is None:
        return "/"
    try:
        # What a URL cannot hold as it is; what is escaped already stays.
        path = quote(text, safe="!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~")
    except UnicodeEncodeError:
        return "/"
    return path if len(path) <= _MAX_PATH else "/"


def _pairs(incoming: Incoming) -> list[tuple[str, str]]:
    try:
        return parse_qsl(incoming.query, keep_blank_values=True, max_num_fields=_MAX_PARAMETERS)
    except ValueError:
        raise Refusal("malformed") from None


def _parameters(incoming: Incoming) -> Mapping[str, str]:
    """Every parameter of the callback, each once (RFC 6749 section 3.1). Raises Refusal for what no provider sends."""
    pairs = _pairs(incoming)
    parameters = dict(pairs)
    is_bounded = all(len(text) <= _MAX_PARAMETER for pair in pairs for text in pair)
    if not parameters or len(parameters) < len(pairs) or not is_bounded:
        raise Refusal("malformed")
    return parameters


def _decoded(text: str) -> str:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
