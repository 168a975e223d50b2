"""Who acts and on what, as the calls take it. Secrets are kept out of `repr`, and so out of logs and tracebacks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Subject:
    """A user or service of the tenant, named by this service. Scopes of a credential do not apply."""

    type: str
    """Example: `user`."""
    id: str
    """For type `user` the id that Sallyport gave it."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token, as received."""

    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SessionToken:
    """The value of a session cookie, as received."""

    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key of the tenant, as received."""

    value: str = field(repr=False)


Credential: TypeAlias = AccessToken | SessionToken | ApiKey
Principal: TypeAlias = Subject | AccessToken | SessionToken | ApiKey


@dataclass(frozen=True, slots=True)
class Resource:
    """What is acted on."""

    type: str
    """Example: `document`."""
    id: str
    """Example: `42`."""
    properties: Mapping[str, Any] | None = None
    """Attributes for conditions, asserted for this question only; JSON values, at most 64 KiB."""


ResourceLike: TypeAlias = Resource | tuple[str, str]


@dataclass(frozen=True, slots=True)
class Device:
    """The end user's device, as this service saw it."""

    ip: str = ""
    """IPv4 or IPv6 address, without a port."""
    user_agent: str = ""
    """Cut to 1,024 characters."""
    device_id: str = ""
    """A stable identifier, if this service has one; at most 128 characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenOptions:
    """What issued tokens carry."""

    audience: Sequence[str]
    """Who the access token is for, 1 to 16. Example: `["reports"]`."""
    scopes: Sequence[str] = ()
    """Permission patterns that narrow it; empty: not narrowed."""
    claims: Mapping[str, Any] | None = None
    """Further claims, JSON values, at most 4 KiB."""
    include_roles: bool = False
    """Puts the subject's tenant-wide roles into the claim `roles`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CookieOptions:
    """A login that ends in a cookie session."""

    previous_session_token: str = field(default="", repr=False)
    """The session token that came with the login; it ends with it."""
    name: str = ""
    """Of the cookie; empty means `__Host-session`."""
