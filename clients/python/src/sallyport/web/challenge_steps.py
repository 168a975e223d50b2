"""The steps ENROLL_TOTP and CHANGE_PASSWORD of a login, for users who must set up a factor, or another password, before they are let in."""

import re
from typing import TypeVar

from sallyport import login_operations
from sallyport.errors import FailedPrecondition, SallyportError
from sallyport.operations import Operation
from sallyport.outcomes import LoginOutcome, Rejected, TotpConfirmation, TotpEnrollment
from sallyport.settings import Settings
from sallyport.web.incoming import Incoming
from sallyport.web.reply import Refusal, Reply
from sallyport.web.steps import Steps, cookie_options, login_reply, no_answer, refusal_of, refuse_other_sites

Answer = TypeVar("Answer")
_TOTP_CODE = re.compile(r"[0-9]{6}")
_MAX_PASSWORD = 1024
"""Bytes."""


def enroll_totp(settings: Settings, incoming: Incoming, challenge: str) -> Steps[TotpEnrollment]:
    """Makes a secret for the user's app; repeated it makes another one. Raises Refusal."""
    refuse_other_sites(incoming)
    outcome = yield from _ask(login_operations.enroll_totp(settings.tenant, challenge, incoming.device))
    if isinstance(outcome, Rejected):
        raise refusal_of(outcome)
    return outcome


def confirm_totp(
    settings: Settings, incoming: Incoming, cookie_name: str, challenge: str, code: str
) -> Steps[TotpConfirmation]:
    """Puts the secret in force by its first code, and carries the login on. Raises Refusal."""
    refuse_other_sites(incoming)
    text = "".join(code.split())
    if _TOTP_CODE.fullmatch(text) is None:
        raise Refusal("code_invalid")
    issue = cookie_options(incoming, cookie_name)
    outcome = yield from _ask(login_operations.confirm_totp(settings.tenant, challenge, text, issue, incoming.device))
    if isinstance(outcome, Rejected):
        raise refusal_of(outcome)
    return outcome


def change_password(
    settings: Settings, incoming: Incoming, cookie_name: str, challenge: str, new_password: str
) -> Steps[LoginOutcome]:
    """Sets the password that the login asks for. Raises Refusal, with the rules that the new one breaks."""
    refuse_other_sites(incoming)
    if not new_password or len(new_password.encode(errors="replace")) > _MAX_PASSWORD:
        raise Refusal("malformed")
    issue = cookie_options(incoming, cookie_name)
    return (
        yield from _ask(
            login_operations.change_password(settings.tenant, challenge, new_password, issue, incoming.device)
        )
    )


def enrollment_reply(enrollment: TotpEnrollment) -> Reply:
    """200 with what the app takes; secrets of this user."""
    body = {"secret": enrollment.secret, "otpauthUri": enrollment.otpauth_uri, "qrSvg": enrollment.qr_svg}
    return Reply(200, body, (("Cache-Control", "no-store"),))


def confirmation_reply(confirmation: TotpConfirmation) -> Reply:
    """As `login_reply`, with the recovery codes, which stand alone in a 200 when the login is over: they are told now or never."""
    codes = {"recoveryCodes": list(confirmation.recovery_codes)}
    if confirmation.login is None or isinstance(confirmation.login, Rejected):
        return Reply(200, codes, (("Cache-Control", "no-store"),))
    reply = login_reply(confirmation.login)
    return Reply(reply.status, {**(reply.body or {}), **codes}, reply.headers)


def _ask(operation: Operation[Answer]) -> Steps[Answer]:
    """Makes the call; errors that speak of what the page sent, and not of the application, become the Refusal that says so."""
    try:
        answer: Answer = yield operation
    except FailedPrecondition as error:
        if error.reason == "PASSWORD_REJECTED":
            raise Refusal("password_rejected", rules=error.metadata.get("rules", "").split(",")) from None
        # Another tab has confirmed the factor, or none was enrolled: either way the login begins anew.
        if error.reason in ("FACTOR_ALREADY_ENROLLED", "ENROLLMENT_NOT_FOUND"):
            raise Refusal("challenge_expired") from None
        raise no_answer(error) from None
    except SallyportError as error:
        raise no_answer(error) from None
    return answer
