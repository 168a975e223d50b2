"""What calls answer. Names of reasons are those of the contract without their prefix; one that this version does not know is kept as
`UNKNOWN_<number>`. Times are aware datetimes in UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from sallyport.names import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One answer to one question. It is true exactly when the action may happen."""

    allowed: bool
    reason: str
    """A name of `DecisionReason`; empty with `error`. Example: `GRANTED`, `NO_MATCH`."""
    subject: Subject | None = None
    """Whom the principal stood for; None when the credential was not recognized."""
    grant_ids: tuple[str, ...] = ()
    rule_names: tuple[str, ...] = ()
    missing_context: tuple[str, ...] = ()
    """Attributes to send and ask again, with reason CONTEXT_MISSING."""
    expire_time: datetime | None = None
    """When the answer changes by itself. Not a licence to cache."""
    revision: str = ""
    """The state it was made from, for `at_least_revision`."""
    explanation: tuple[str, ...] = ()
    """For people; only when asked for."""
    error: str = ""
    """Why this item of a batch could not be decided, a name of `ErrorReason`; it is not allowed then."""

    def __bool__(self) -> bool:
        return self.allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """A token pair."""

    access_token: str = field(repr=False)
    access_token_expire_time: datetime | None
    refresh_token: str = field(repr=False)
    """Empty for an API key, which can be used again, and after a step-up."""
    refresh_token_expire_time: datetime | None
    session_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CookieSession:
    """A cookie session."""

    session_token: str = field(repr=False)
    set_cookie: str = field(repr=False)
    """For the Set-Cookie header, as it is."""
    csrf_token: str = field(repr=False)
    """For the application's pages, to be sent back with unsafe methods."""
    expire_time: datetime | None
    session_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticated:
    """A finished login or step-up."""

    user_id: str
    methods: tuple[str, ...]
    """Example: `("PASSWORD", "TOTP")`."""
    authentication_token: str = field(repr=False)
    """For issue_tokens, once, within 60 s; empty when the login was asked to end in tokens or a session."""
    expire_time: datetime | None
    tokens: Tokens | None = None
    session: CookieSession | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One more step of a login."""

    challenge_token: str = field(repr=False)
    expire_time: datetime | None
    steps: tuple[str, ...]
    """Any one of them: `TOTP`, `RECOVERY_CODE`, `ENROLL_TOTP`, `CHANGE_PASSWORD`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """The end user was turned away."""

    reason: str
    """A name of `RejectionReason`. Example: `INVALID_CREDENTIALS`."""
    retry_after: float | None = None
    """Seconds, with LOCKED and RATE_LIMITED."""
    federation_failure: str = ""
    """With FEDERATION_FAILED: a name of `FederationFailure`. Example: `LOGIN_UNKNOWN`."""


LoginOutcome: TypeAlias = Authenticated | Challenge | Rejected
TokensOutcome: TypeAlias = Tokens | Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class FederatedLogin:
    """A login that waits for an identity provider."""

    authorization_url: str
    """Where to send the browser."""
    browser_binding: str = field(repr=False)
    """A secret of this browser, to be kept in a cookie until it comes back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TotpEnrollment:
    """A TOTP secret for the user's app; it counts from its first code on."""

    secret: str = field(repr=False)
    """Base32, for typing in."""
    otpauth_uri: str = field(repr=False)
    qr_svg: str = field(repr=False)
    """The URI as a QR code: an SVG document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TotpConfirmation:
    """A second factor in force."""

    recovery_codes: tuple[str, ...] = field(repr=False)
    """Ten, for when the app is lost; told this once."""
    login: LoginOutcome | None
    """How the login goes on. Rejected: the factor counts, but this login is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A cookie session that is good for this request."""

    id: str
    subject: Subject
    amr: tuple[str, ...]
    """How the user proved who they are, RFC 8176. Example: `("pwd", "otp")`."""
    authentication_time: datetime | None
    expire_time: datetime | None
    """When it ends whatever happens."""
    csrf_token: str = field(repr=False)
    """For the page that this request renders; empty after an unsafe method."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenClaims:
    """What a good access token says (RFC 9068)."""

    issuer: str
    subject: Subject
    audience: tuple[str, ...]
    expire_time: datetime
    issue_time: datetime
    token_id: str
    client_id: str
    """The service that obtained it. Example: `service:shop`."""
    scopes: tuple[str, ...]
    """Empty: not narrowed."""
    session_id: str
    tenant: str
    authentication_time: datetime | None
    amr: tuple[str, ...]
    roles: tuple[str, ...]
    actor: Subject | None
    """Who presents it for the subject (RFC 8693); None: the subject itself."""
    claims: Mapping[str, Any]
    """The further ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inactive:
    """A session or access token that is not good."""

    reason: str
    """A `CREDENTIAL_` or `CSRF_` name of `DecisionReason`, or `SUBJECT_DISABLED`; for logs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyVerdict:
    """What was found of an API key. It is true exactly when the key is good and, where one was named, has the permission."""

    decision: Decision
    key_id: str
    """Empty when it was not recognized."""
    owner: Subject | None
    scopes: tuple[str, ...]

    def __bool__(self) -> bool:
        return self.decision.allowed
