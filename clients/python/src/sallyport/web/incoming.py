"""What a guard needs to know of an HTTP request."""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sallyport.names import AccessToken, ApiKey, Credential, Device, SessionToken, Subject
from sallyport.web.reply import Refusal

SESSION_COOKIE = "__Host-session"
CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "_csrf"
API_KEY_HEADER = "x-api-key"
# They must change nothing (RFC 9110 section 9.2.1).
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

# RFC 6750 section 2.1. What is not of this form is nobody's credential, and asking about it would be an error of this service.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,8192}")
_API_KEY_PREFIX = "sk_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One request, as it was received; absent headers are empty."""

    method: str
    authorization: str = field(default="", repr=False)
    api_key: str = field(default="", repr=False)
    """The header `x-api-key`."""
    session_token: str = field(default="", repr=False)
    """The value of the session cookie."""
    csrf_token: str = field(default="", repr=False)
    """From the header `x-csrf-token` or the form field `_csrf`."""
    login_cookie: str = field(default="", repr=False)
    """The value of the cookie that a login by an identity provider keeps."""
    query: str = field(default="", repr=False)
    """Of the URL, as it was received."""
    origin: str = ""
    allowed_origins: tuple[str, ...] = ()
    """Of the application's own pages."""
    device: Device = field(default_factory=Device)

    @property
    def previous_session_token(self) -> str:
        """The session that a login replaces; empty where the cookie cannot be one of ours, which must not keep anybody from logging in."""
        return self.session_token if _TOKEN.fullmatch(self.session_token) else ""

    @property
    def is_safe(self) -> bool:
        return self.method in SAFE_METHODS


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPrincipal:
    """Who makes a request. What they may do is not said here: ask for each permission."""

    subject: Subject
    credential: Credential
    """As it was received. Permissions are asked with it, so that its scopes count."""
    session_id: str = ""
    """Empty for an API key."""
    scopes: tuple[str, ...] = ()
    """Of an access token or API key; empty: not narrowed."""
    amr: tuple[str, ...] = ()
    """How a user proved who they are, RFC 8176."""
    csrf_token: str = field(default="", repr=False)
    """For the page that this request renders; only under a cookie, and only for a safe method."""


def credential_of(incoming: Incoming) -> Credential | None:
    """The credential of a request; one in a header goes before the cookie, which browsers send unasked. Another scheme than Bearer is
    not ours. Raises Refusal for two in headers, and for what cannot be one.
    """
    scheme, _, bearer = incoming.authorization.partition(" ")
    found: list[Credential] = []
    if scheme.lower() == "bearer":
        token = bearer.strip()
        found.append(ApiKey(token) if token.startswith(_API_KEY_PREFIX) else AccessToken(token))
    if incoming.api_key:
        found.append(ApiKey(incoming.api_key))
    if not found and incoming.session_token:
        found.append(SessionToken(incoming.session_token))
    if len(found) > 1:
        raise Refusal("credential_ambiguous")
    for credential in found:
        if _TOKEN.fullmatch(credential.value) is None:
            raise Refusal("credential_invalid")
    return found[0] if found else None


def cookie_of(headers: Iterable[str], name: str) -> str:
    """The one value of a cookie in the Cookie headers of a request; empty: none. Two of one name are none: nobody can say which is whose.
    Only what HTTP calls a space goes before the name (RFC 9110 section 5.6.3). Frameworks take away others as well, which to a browser
    are part of it, so that any host of the site may set such a `__Host-` cookie.
    """
    pairs = (pair.lstrip(" \t").partition("=") for header in headers for pair in header.split(";"))
    values = [value.strip() for key, equals, value in pairs if key == name and equals]
    return values[0] if len(values) == 1 else ""


def device_of(ip: str | None, user_agent: str | None) -> Device:
    """What is no address (a Unix socket's peer, a test's) is left out, because Sallyport would refuse the call for it."""
    address = (ip or "").partition("%")[0]
    try:
        ipaddress.ip_address(address)
    except ValueError:
        address = ""
    return Device(ip=address, user_agent=user_agent or "")


def text_fields(given: object, names: Iterable[str]) -> dict[str, str]:
    """These fields of a decoded body; absent ones are empty. Raises Refusal when it is no object, or one of them no text."""
    values = {name: given.get(name, "") for name in names} if isinstance(given, Mapping) else {}
    if not values or not all(isinstance(value, str) for value in values.values()):
        raise Refusal("malformed")
    return values
