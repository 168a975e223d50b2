"""What a guard does, as generators that yield each call and are given its answer: one set of rules for frameworks with and without
asyncio (`web/perform.py` drives them)."""

import logging
import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, TypeAlias, TypeVar

from sallyport import operations
from sallyport.errors import InvalidRequest, InvalidToken, SallyportError, Unavailable
from sallyport.names import AccessToken, ApiKey, CookieOptions, ResourceLike, SessionToken
from sallyport.operations import Operation, Question
from sallyport.outcomes import (
    ApiKeyVerdict,
    Authenticated,
    Challenge,
    Decision,
    Inactive,
    LoginOutcome,
    Rejected,
    Session,
    TokenClaims,
)
from sallyport.settings import Settings
from sallyport.web.incoming import Incoming, RequestPrincipal, credential_of
from sallyport.web.reply import PROBLEMS, Refusal, Reply, unavailable

log = logging.getLogger("sallyport")
_TOTP_CODE = re.compile(r"[0-9]{6}")
# Six groups of four, with or without dashes.
_RECOVERY_CODE = re.compile(r"[0-9A-Za-z-]{24,40}")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class LocalVerification:
    """To be answered by the process's TokenVerifier."""

    token: str = field(repr=False)


Steps: TypeAlias = Generator[Operation[Any] | LocalVerification, Any, Answer]

# Reasons of verdicts and rejections that have a code of their own, which is the reason in lower case.
_TOLD_REASONS = frozenset(name.upper() for name in PROBLEMS)
_REJECTIONS: Mapping[str, str] = {"PROOF_INVALID": "challenge_expired", "SESSION_REVOKED": "credential_revoked"}


def authenticate(settings: Settings, incoming: Incoming) -> Steps[RequestPrincipal | None]:
    """Who makes the request; None without a credential. Raises Refusal when the credential is not good for this request."""
    credential = credential_of(incoming)
    try:
        match credential:
            case None:
                return None
            case SessionToken():
                return (yield from _by_session(settings, incoming, credential))
            case AccessToken():
                return (yield from _by_access_token(settings, credential))
            case ApiKey():
                return (yield from _by_api_key(settings, incoming, credential))
    except SallyportError as error:
        raise no_answer(error) from None


def _by_session(settings: Settings, incoming: Incoming, token: SessionToken) -> Steps[RequestPrincipal]:
    session: Session | Inactive = yield operations.verify_session(
        settings.tenant,
        token.value,
        incoming.method,
        incoming.origin,
        incoming.allowed_origins,
        incoming.csrf_token,
    )
    match session:
        case Session():
            return RequestPrincipal(
                subject=session.subject,
                credential=token,
                session_id=session.id,
                amr=session.amr,
                csrf_token=session.csrf_token,
            )
        case Inactive(reason=reason):
            raise _not_good(reason)


def _by_access_token(settings: Settings, token: AccessToken) -> Steps[RequestPrincipal]:
    if not settings.audience:
        # Whoever it was meant for, it cannot be known to be us.
        log.warning("an access token was refused because SALLYPORT_CLIENT_AUDIENCE is not set")
        raise Refusal("credential_wrong_audience")
    if settings.issuer:
        try:
            claims: TokenClaims | Inactive = yield LocalVerification(token.value)
        except InvalidToken as error:
            raise _not_good(error.reason) from None
    else:
        claims = yield operations.verify_token(settings.tenant, token.value, settings.audience)
    if isinstance(claims, Inactive):
        raise _not_good(claims.reason)
    return RequestPrincipal(
        subject=claims.subject,
        credential=token,
        session_id=claims.session_id,
        scopes=claims.scopes,
        amr=claims.amr,
    )


def _by_api_key(settings: Settings, incoming: Incoming, key: ApiKey) -> Steps[RequestPrincipal]:
    verdict: ApiKeyVerdict = yield operations.verify_api_key(
        settings.tenant, key.value, "", None, None, incoming.device
    )
    if not verdict or verdict.owner is None:
        raise _not_good(verdict.decision.reason)
    return RequestPrincipal(subject=verdict.owner, credential=key, scopes=verdict.scopes)


def permit(
    settings: Settings,
    incoming: Incoming,
    principal: RequestPrincipal,
    permission: str,
    resource: ResourceLike | None,
    context: Mapping[str, Any] | None,
) -> Steps[None]:
    """Returns when the principal may, by the credential itself and not by what was read from it. Raises Refusal otherwise."""
    credential = principal.credential
    try:
        if isinstance(credential, ApiKey):
            # Authorize knows no address, which a key with allowed networks needs (docs/api-keys.md).
            verdict: ApiKeyVerdict = yield operations.verify_api_key(
                settings.tenant, credential.value, permission, resource, context, incoming.device
            )
            decision = verdict.decision
        else:
            question = Question(permission, resource, context, credential)
            decision = yield operations.authorize(settings.tenant, question, "", explain=False)
    except SallyportError as error:
        raise no_answer(error) from None
    if not decision:
        raise _denied(permission, decision)


def _denied(permission: str, decision: Decision) -> Refusal:
    if decision.reason.startswith("CREDENTIAL_") or decision.reason == "SUBJECT_DISABLED":
        return _not_good(decision.reason)
    log.info("refused %s: %s", permission, decision.reason)
    return Refusal("forbidden")


def _not_good(reason: str) -> Refusal:
    """A reason of a newer server is a credential that is not valid."""
    log.info("refused a credential: %s", reason)
    return Refusal(reason.lower() if reason in _TOLD_REASONS else "credential_invalid")


def log_in(
    settings: Settings, incoming: Incoming, cookie_name: str, identifier: str, password: str
) -> Steps[LoginOutcome]:
    """Checks a password; a finished login ends in a cookie session, and ends the one that the browser had before (RFC 9700 aside,
    session fixation). Raises Refusal for a login from another site's page, and where there is no answer.
    """
    refuse_other_sites(incoming)
    issue = cookie_options(incoming, cookie_name)
    try:
        outcome: LoginOutcome = yield operations.authenticate(
            settings.tenant, identifier, password, issue, incoming.device
        )
    except SallyportError as error:
        raise no_answer(error) from None
    return outcome


def take_code(
    settings: Settings, incoming: Incoming, cookie_name: str, challenge: str, code: str
) -> Steps[LoginOutcome]:
    """The second step of a login, by six digits or a recovery code. Raises Refusal as `log_in` does."""
    refuse_other_sites(incoming)
    text = code.strip()
    totp_code = text if _TOTP_CODE.fullmatch(text) else ""
    if not totp_code and _RECOVERY_CODE.fullmatch(text) is None:
        raise Refusal("code_invalid")
    recovery_code = "" if totp_code else text
    issue = cookie_options(incoming, cookie_name)
    try:
        outcome: LoginOutcome = yield operations.verify_totp(
            settings.tenant, challenge, totp_code, recovery_code, issue, incoming.device
        )
    except SallyportError as error:
        raise no_answer(error) from None
    return outcome


def log_out(settings: Settings, incoming: Incoming, cookie_name: str) -> Steps[Reply]:
    """Ends the session of the cookie and takes the cookie away; a session that has ended already is no error. Raises Refusal when the
    request is not from a page of the application's own.
    """
    token = incoming.previous_session_token
    if token:
        try:
            yield from _by_session(settings, incoming, SessionToken(token))
            yield operations.revoke_sessions(settings.tenant, token, "", "", "")
        except SallyportError as error:
            raise no_answer(error) from None
        except Refusal as refusal:
            if refusal.status != 401:
                raise
    gone = f"{cookie_name}=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax"
    return Reply(204, None, (("Set-Cookie", gone), ("Cache-Control", "no-store")))


def login_reply(outcome: LoginOutcome) -> Reply:
    """200 with the cookie, 202 with the challenge, or raises Refusal: 401, or 429 with the time to wait. The bodies are those of
    @sallyport/client, so that a page need not know which language serves it.
    """
    match outcome:
        case Authenticated(session=session) if session is not None:
            body: dict[str, Any] = {
                "userId": outcome.user_id,
                "csrfToken": session.csrf_token,
                "expiresAt": _iso(session.expire_time),
            }
            return Reply(200, body, (("Set-Cookie", session.set_cookie), ("Cache-Control", "no-store")))
        case Authenticated():
            raise unavailable()
        case Challenge():
            body = {
                "challenge": outcome.challenge_token,
                "steps": list(outcome.steps),
                "expiresAt": _iso(outcome.expire_time),
            }
            return Reply(202, body, (("Cache-Control", "no-store"),))
        case Rejected():
            raise refusal_of(outcome)


def refusal_of(rejected: Rejected) -> Refusal:
    """A reason of a newer server is a credential that is not valid."""
    failure = rejected.federation_failure
    reason = f"FEDERATION_{failure}" if failure else rejected.reason
    code = reason.lower() if reason in _TOLD_REASONS else _REJECTIONS.get(reason, "invalid_credentials")
    return Refusal(code, retry_after=rejected.retry_after)


def cookie_options(incoming: Incoming, cookie_name: str) -> CookieOptions:
    """A cookie session; the one that the browser brought ends, so that a session somebody planted there is worth nothing."""
    return CookieOptions(previous_session_token=incoming.previous_session_token, name=cookie_name)


def refuse_other_sites(incoming: Incoming) -> None:
    """Raises Refusal for a login that another site's page sends."""
    # A page of somebody else's could log its visitor in as somebody else. Browsers say where a POST comes from; programs need not.
    if incoming.origin and incoming.origin not in incoming.allowed_origins:
        raise Refusal("csrf_wrong_origin")


def no_answer(error: SallyportError) -> Refusal:
    """What a call without an answer means for the request behind it."""
    if isinstance(error, InvalidRequest):
        return Refusal("malformed")
    log.error("no answer from Sallyport: %s", error)
    return unavailable(error.retry_after) if isinstance(error, Unavailable) else Refusal("misconfigured")


def _iso(time: datetime | None) -> str | None:
    """In UTC and to the millisecond, as JavaScript writes it. Example: `2026-11-24T12:00:00.000Z`."""
    if time is None:
        return None
    return time.astimezone(timezone.utc).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
