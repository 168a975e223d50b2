"""The calls as values: which method, the request, how to read the answer. The blocking and the asyncio client perform the same ones."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct

from sallyport import outcomes, responses
from sallyport.names import (
    AccessToken,
    ApiKey,
    CookieOptions,
    Device,
    Principal,
    Resource,
    ResourceLike,
    SessionToken,
    Subject,
    TokenOptions,
)
from sallyport.v1 import (
    api_key_pb2,
    authentication_pb2,
    authorization_pb2,
    session_pb2,
    subject_pb2,
    token_pb2,
)

Answer = TypeVar("Answer")
Response = TypeVar("Response", bound=Message)

MAX_USER_AGENT = 1024


@dataclass(frozen=True, slots=True)
class Operation(Generic[Answer]):
    """One call. `is_login`: it hashes a password and may take longer."""

    path: str
    request: Message
    response_from: Callable[[bytes], Message]
    read: Callable[[Any], Answer]
    is_login: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """One item of a batch."""

    permission: str
    resource: ResourceLike | None = None
    context: Mapping[str, Any] | None = None
    principal: Principal | None = None
    """None: the batch's."""


def authenticate(
    tenant: str,
    identifier: str,
    password: str,
    issue: TokenOptions | CookieOptions | None,
    device: Device | None,
) -> Operation[outcomes.LoginOutcome]:
    credential = authentication_pb2.PasswordCredential(identifier=identifier, password=password)
    request = authentication_pb2.AuthenticateRequest(
        tenant=tenant, password=credential, client=client_context(device), issue=issue_options(issue)
    )
    parse = authentication_pb2.AuthenticateResponse.FromString
    path = "/sallyport.v1.AuthenticationService/Authenticate"
    return Operation(path, request, parse, responses.login_outcome, is_login=True)


def verify_totp(
    tenant: str,
    challenge_token: str,
    totp_code: str,
    recovery_code: str,
    issue: TokenOptions | CookieOptions | None,
    device: Device | None,
) -> Operation[outcomes.LoginOutcome]:
    if bool(totp_code) == bool(recovery_code):
        raise ValueError("give either totp_code or recovery_code")
    request = authentication_pb2.VerifyTotpRequest(
        tenant=tenant, challenge_token=challenge_token, client=client_context(device), issue=issue_options(issue)
    )
    if totp_code:
        request.totp_code = totp_code
    else:
        request.recovery_code = recovery_code
    parse = authentication_pb2.VerifyTotpResponse.FromString
    return Operation("/sallyport.v1.AuthenticationService/VerifyTotp", request, parse, responses.login_outcome)


def issue_tokens(
    tenant: str, proof: str | Subject | ApiKey, options: TokenOptions, device: Device | None, request_id: str
) -> Operation[outcomes.TokensOutcome]:
    request = token_pb2.IssueTokensRequest(
        tenant=tenant,
        options=token_options(options),
        client=client_context(device),
        request_id=request_id,
    )
    match proof:
        case Subject():
            request.subject.CopyFrom(subject_pb2.Subject(type=proof.type, id=proof.id))
        case ApiKey():
            request.api_key = proof.value
        case str():
            request.authentication_token = proof
    parse = token_pb2.IssueTokensResponse.FromString
    return Operation("/sallyport.v1.TokenService/IssueTokens", request, parse, responses.tokens_outcome)


def rotate_refresh(
    tenant: str, refresh_token: str, scopes: Iterable[str], device: Device | None
) -> Operation[outcomes.TokensOutcome]:
    request = token_pb2.RotateRefreshRequest(
        tenant=tenant, refresh_token=refresh_token, scopes=scopes, client=client_context(device)
    )
    parse = token_pb2.RotateRefreshResponse.FromString
    return Operation("/sallyport.v1.TokenService/RotateRefresh", request, parse, responses.tokens_outcome)


def authorize(
    tenant: str,
    question: Question,
    at_least_revision: str,
    explain: bool,
) -> Operation[outcomes.Decision]:
    request = authorization_pb2.AuthorizeRequest(
        tenant=tenant,
        principal=principal_message(question.principal),
        permission=question.permission,
        resource=resource_message(question.resource),
        context=struct_of(question.context),
        at_least_revision=at_least_revision,
        explain=explain,
    )
    parse = authorization_pb2.AuthorizeResponse.FromString
    return Operation("/sallyport.v1.AuthorizationService/Authorize", request, parse, responses.authorize_outcome)


def batch_authorize(
    tenant: str,
    principal: Principal | None,
    questions: Iterable[Question],
    context: Mapping[str, Any] | None,
    at_least_revision: str,
) -> Operation[tuple[outcomes.Decision, ...]]:
    items = [
        authorization_pb2.BatchAuthorizeItem(
            principal=principal_message(question.principal),
            permission=question.permission,
            resource=resource_message(question.resource),
            context=struct_of(question.context),
        )
        for question in questions
    ]
    request = authorization_pb2.BatchAuthorizeRequest(
        tenant=tenant,
        principal=principal_message(principal),
        items=items,
        context=struct_of(context),
        at_least_revision=at_least_revision,
    )
    parse = authorization_pb2.BatchAuthorizeResponse.FromString
    path = "/sallyport.v1.AuthorizationService/BatchAuthorize"
    return Operation(path, request, parse, lambda response: responses.batch_outcome(response, len(items)))


def verify_api_key(
    tenant: str,
    api_key: str,
    permission: str,
    resource: ResourceLike | None,
    context: Mapping[str, Any] | None,
    device: Device | None,
) -> Operation[outcomes.ApiKeyVerdict]:
    request = api_key_pb2.VerifyApiKeyRequest(
        tenant=tenant,
        api_key=api_key,
        permission=permission,
        resource=resource_message(resource),
        context=struct_of(context),
        client=client_context(device),
    )
    parse = api_key_pb2.VerifyApiKeyResponse.FromString
    return Operation("/sallyport.v1.ApiKeyService/VerifyApiKey", request, parse, responses.api_key_outcome)


def verify_session(
    tenant: str, session_token: str, http_method: str, origin: str, allowed_origins: Iterable[str], csrf_token: str
) -> Operation[outcomes.Session | outcomes.Inactive]:
    request = session_pb2.VerifySessionRequest(
        tenant=tenant,
        session_token=session_token,
        http_method=http_method.upper(),
        origin=origin,
        allowed_origins=allowed_origins,
        csrf_token=csrf_token,
    )
    parse = session_pb2.VerifySessionResponse.FromString
    return Operation("/sallyport.v1.SessionService/VerifySession", request, parse, responses.session_outcome)


def verify_token(tenant: str, access_token: str, audience: str) -> Operation[outcomes.TokenClaims | outcomes.Inactive]:
    request = token_pb2.VerifyTokenRequest(tenant=tenant, access_token=access_token, audience=audience)
    parse = token_pb2.VerifyTokenResponse.FromString
    return Operation("/sallyport.v1.TokenService/VerifyToken", request, parse, responses.token_outcome)


def revoke_sessions(
    tenant: str, session_token: str, refresh_token: str, session_id: str, user_id: str
) -> Operation[int]:
    given = {
        "session_token": session_token,
        "refresh_token": refresh_token,
        "session_id": session_id,
        "user_id": user_id,
    }
    chosen = {name: value for name, value in given.items() if value}
    if len(chosen) != 1:
        raise ValueError(f"give exactly one of {', '.join(given)}")
    request = session_pb2.RevokeSessionsRequest(tenant=tenant, **chosen)
    parse = session_pb2.RevokeSessionsResponse.FromString
    return Operation("/sallyport.v1.SessionService/RevokeSessions", request, parse, _revoked_count)


def get_jwks(tenant: str) -> Operation[token_pb2.GetJwksResponse]:
    request = token_pb2.GetJwksRequest(tenant=tenant)
    return Operation("/sallyport.v1.TokenService/GetJwks", request, token_pb2.GetJwksResponse.FromString, _as_it_is)


def _revoked_count(response: session_pb2.RevokeSessionsResponse) -> int:
    return response.revoked_count


def _as_it_is(response: token_pb2.GetJwksResponse) -> token_pb2.GetJwksResponse:
    return response


def client_context(device: Device | None) -> subject_pb2.ClientContext | None:
    if device is None:
        return None
    return subject_pb2.ClientContext(
        ip=device.ip, user_agent=device.user_agent[:MAX_USER_AGENT], device_id=device.device_id
    )


def issue_options(issue: TokenOptions | CookieOptions | None) -> session_pb2.IssueOptions | None:
    match issue:
        case None:
            return None
        case TokenOptions():
            return session_pb2.IssueOptions(tokens=token_options(issue))
        case CookieOptions():
            cookie = session_pb2.CookieOptions(previous_session_token=issue.previous_session_token, name=issue.name)
            return session_pb2.IssueOptions(cookie=cookie)


def token_options(options: TokenOptions) -> session_pb2.TokenOptions:
    return session_pb2.TokenOptions(
        audience=options.audience,
        scopes=options.scopes,
        claims=struct_of(options.claims),
        include_roles=options.include_roles,
    )


def principal_message(principal: Principal | None) -> subject_pb2.Principal | None:
    match principal:
        case None:
            return None
        case Subject():
            return subject_pb2.Principal(subject=subject_pb2.Subject(type=principal.type, id=principal.id))
        case AccessToken():
            return subject_pb2.Principal(access_token=principal.value)
        case SessionToken():
            return subject_pb2.Principal(session_token=principal.value)
        case ApiKey():
            return subject_pb2.Principal(api_key=principal.value)


def resource_message(resource: ResourceLike | None) -> subject_pb2.Resource | None:
    if resource is None:
        return None
    given = resource if isinstance(resource, Resource) else Resource(*resource)
    return subject_pb2.Resource(type=given.type, id=given.id, properties=struct_of(given.properties))


def struct_of(values: Mapping[str, Any] | None) -> Struct | None:
    if values is None:
        return None
    struct = Struct()
    struct.update(dict(values))
    return struct
