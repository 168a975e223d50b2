"""From messages to what the calls answer. An outcome that this version does not know is an error, never a yes."""

from datetime import datetime, timezone

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp

from sallyport import outcomes
from sallyport.errors import SallyportError
from sallyport.names import Subject
from sallyport.v1 import (
    api_key_pb2,
    authentication_pb2,
    authorization_pb2,
    decision_pb2,
    session_pb2,
    subject_pb2,
    token_pb2,
)


def name_of(enum: EnumDescriptor, prefix: str, number: int) -> str:
    """The name of a value without its prefix; `UNKNOWN_<number>` for one of a newer server."""
    value = enum.values_by_number.get(number)
    return f"UNKNOWN_{number}" if value is None else value.name.removeprefix(prefix)


def time_of(timestamp: Timestamp) -> datetime:
    return timestamp.ToDatetime(tzinfo=timezone.utc)


def subject_of(subject: subject_pb2.Subject) -> Subject:
    return Subject(subject.type, subject.id)


def reason_of(reason: int) -> str:
    return name_of(decision_pb2.DecisionReason.DESCRIPTOR, "DECISION_REASON_", reason)


def decision_of(decision: decision_pb2.Decision, revision: str = "", steps: tuple[str, ...] = ()) -> outcomes.Decision:
    is_error = decision.HasField("error")
    return outcomes.Decision(
        allowed=decision.effect == decision_pb2.EFFECT_ALLOW and not is_error,
        reason="" if is_error else reason_of(decision.reason),
        subject=subject_of(decision.subject) if decision.HasField("subject") else None,
        grant_ids=tuple(decision.grant_ids),
        rule_names=tuple(decision.rule_names),
        missing_context=tuple(decision.missing_context),
        expire_time=time_of(decision.expire_time) if decision.HasField("expire_time") else None,
        revision=revision,
        explanation=steps,
        error=decision.error.reason if is_error else "",
    )


def authorize_outcome(response: authorization_pb2.AuthorizeResponse) -> outcomes.Decision:
    return decision_of(response.decision, response.revision, tuple(response.explanation.steps))


def batch_outcome(response: authorization_pb2.BatchAuthorizeResponse, questions: int) -> tuple[outcomes.Decision, ...]:
    # An answer to another number of questions is an answer to none of them.
    if len(response.decisions) != questions:
        raise SallyportError("the batch was answered with another number of decisions than it had questions")
    return tuple(decision_of(one, response.revision) for one in response.decisions)


def tokens_of(pair: session_pb2.TokenPair) -> outcomes.Tokens:
    return outcomes.Tokens(
        access_token=pair.access_token,
        access_token_expire_time=(
            time_of(pair.access_token_expire_time) if pair.HasField("access_token_expire_time") else None
        ),
        refresh_token=pair.refresh_token,
        refresh_token_expire_time=(
            time_of(pair.refresh_token_expire_time) if pair.HasField("refresh_token_expire_time") else None
        ),
        session_id=pair.session_id,
    )


def cookie_session_of(session: session_pb2.CookieSession) -> outcomes.CookieSession:
    return outcomes.CookieSession(
        session_token=session.session_token,
        set_cookie=session.set_cookie,
        csrf_token=session.csrf_token,
        expire_time=time_of(session.expire_time) if session.HasField("expire_time") else None,
        session_id=session.session_id,
    )


def rejected_of(rejection: session_pb2.Rejection) -> outcomes.Rejected:
    return outcomes.Rejected(
        reason=name_of(session_pb2.RejectionReason.DESCRIPTOR, "REJECTION_REASON_", rejection.reason),
        retry_after=rejection.retry_after.ToTimedelta().total_seconds() if rejection.HasField("retry_after") else None,
        federation_failure=_failure_of(rejection.federation_failure),
    )


def _failure_of(failure: int) -> str:
    name = name_of(session_pb2.FederationFailure.DESCRIPTOR, "FEDERATION_FAILURE_", failure)
    return "" if name == "UNSPECIFIED" else name


def login_outcome(
    response: authentication_pb2.AuthenticateResponse
    | authentication_pb2.VerifyTotpResponse
    | authentication_pb2.ChangePasswordResponse,
) -> outcomes.LoginOutcome:
    match response.WhichOneof("outcome"):
        case "authenticated":
            return _authenticated(response.authenticated)
        case "challenge":
            return _challenge(response.challenge)
        case "rejection":
            return rejected_of(response.rejection)
        case _:
            raise _unknown_outcome()


def federated_outcome(
    response: authentication_pb2.BeginFederatedLoginResponse,
) -> outcomes.FederatedLogin | outcomes.Rejected:
    match response.WhichOneof("outcome"):
        case "login":
            login = response.login
            return outcomes.FederatedLogin(
                authorization_url=login.authorization_url, browser_binding=login.browser_binding
            )
        case "rejection":
            return rejected_of(response.rejection)
        case _:
            raise _unknown_outcome()


def enrollment_outcome(
    response: authentication_pb2.EnrollTotpResponse,
) -> outcomes.TotpEnrollment | outcomes.Rejected:
    match response.WhichOneof("outcome"):
        case "enrollment":
            made = response.enrollment
            return outcomes.TotpEnrollment(secret=made.secret, otpauth_uri=made.otpauth_uri, qr_svg=made.qr_svg)
        case "rejection":
            return rejected_of(response.rejection)
        case _:
            raise _unknown_outcome()


def confirmation_outcome(
    response: authentication_pb2.ConfirmTotpResponse,
) -> outcomes.TotpConfirmation | outcomes.Rejected:
    match response.WhichOneof("outcome"):
        case "confirmation":
            done = response.confirmation
            return outcomes.TotpConfirmation(recovery_codes=tuple(done.recovery_codes), login=_login_of(done))
        case "rejection":
            return rejected_of(response.rejection)
        case _:
            raise _unknown_outcome()


def _login_of(done: authentication_pb2.TotpConfirmation) -> outcomes.LoginOutcome | None:
    # None for what this version does not know, too: the recovery codes beside it are told this once.
    match done.WhichOneof("login"):
        case "authenticated":
            return _authenticated(done.authenticated)
        case "challenge":
            return _challenge(done.challenge)
        case "rejection":
            return rejected_of(done.rejection)
        case _:
            return None


def _challenge(challenge: authentication_pb2.Challenge) -> outcomes.Challenge:
    steps = authentication_pb2.ChallengeStep.DESCRIPTOR
    return outcomes.Challenge(
        challenge_token=challenge.challenge_token,
        expire_time=time_of(challenge.expire_time) if challenge.HasField("expire_time") else None,
        steps=tuple(name_of(steps, "CHALLENGE_STEP_", step) for step in challenge.steps),
    )


def _authenticated(done: authentication_pb2.Authenticated) -> outcomes.Authenticated:
    methods = authentication_pb2.AuthenticationMethod.DESCRIPTOR
    return outcomes.Authenticated(
        user_id=done.user_id,
        methods=tuple(name_of(methods, "AUTHENTICATION_METHOD_", method) for method in done.methods),
        authentication_token=done.authentication_token,
        expire_time=time_of(done.expire_time) if done.HasField("expire_time") else None,
        tokens=tokens_of(done.tokens) if done.HasField("tokens") else None,
        session=cookie_session_of(done.session) if done.HasField("session") else None,
    )


def tokens_outcome(
    response: token_pb2.IssueTokensResponse | token_pb2.RotateRefreshResponse,
) -> outcomes.TokensOutcome:
    match response.WhichOneof("outcome"):
        case "tokens":
            return tokens_of(response.tokens)
        case "rejection":
            return rejected_of(response.rejection)
        case _:
            raise _unknown_outcome()


def session_outcome(response: session_pb2.VerifySessionResponse) -> outcomes.Session | outcomes.Inactive:
    if not response.active:
        return outcomes.Inactive(reason=reason_of(response.inactive_reason))
    session = response.session
    return outcomes.Session(
        id=session.id,
        subject=subject_of(session.subject),
        amr=tuple(session.amr),
        authentication_time=time_of(session.authentication_time) if session.HasField("authentication_time") else None,
        expire_time=time_of(session.expire_time) if session.HasField("expire_time") else None,
        csrf_token=response.csrf_token,
    )


def token_outcome(response: token_pb2.VerifyTokenResponse) -> outcomes.TokenClaims | outcomes.Inactive:
    if not response.active:
        return outcomes.Inactive(reason=reason_of(response.inactive_reason))
    claims = response.claims
    return outcomes.TokenClaims(
        issuer=claims.issuer,
        subject=subject_of(claims.subject),
        audience=tuple(claims.audience),
        expire_time=time_of(claims.expire_time),
        issue_time=time_of(claims.issue_time),
        token_id=claims.token_id,
        client_id=claims.client_id,
        scopes=tuple(claims.scopes),
        session_id=claims.session_id,
        tenant=claims.tenant,
        authentication_time=time_of(claims.authentication_time) if claims.HasField("authentication_time") else None,
        amr=tuple(claims.amr),
        roles=tuple(claims.roles),
        actor=subject_of(claims.actor.subject) if claims.HasField("actor") else None,
        claims=MessageToDict(claims.claims),
    )


def api_key_outcome(response: api_key_pb2.VerifyApiKeyResponse) -> outcomes.ApiKeyVerdict:
    key = response.key if response.HasField("key") else None
    return outcomes.ApiKeyVerdict(
        decision=decision_of(response.decision),
        key_id="" if key is None else key.id,
        owner=None if key is None else subject_of(key.owner),
        scopes=() if key is None else tuple(key.scopes),
    )


def _unknown_outcome() -> SallyportError:
    return SallyportError("the answer has an outcome that this version of sallyport-client does not know; update it")
