"""The calls of a login beyond password and code: identity providers, and the steps that set up a factor or another password."""

from collections.abc import Mapping

from sallyport import outcomes, responses
from sallyport.names import CookieOptions, Device, TokenOptions
from sallyport.operations import Operation, client_context, issue_options
from sallyport.v1 import authentication_pb2

_SERVICE = "/sallyport.v1.AuthenticationService"


def begin_federated_login(
    tenant: str, provider_id: str, redirect_uri: str, device: Device | None
) -> Operation[outcomes.FederatedLogin | outcomes.Rejected]:
    """It may have to ask the provider where its pages are."""
    request = authentication_pb2.BeginFederatedLoginRequest(
        tenant=tenant, provider_id=provider_id, redirect_uri=redirect_uri, client=client_context(device)
    )
    parse = authentication_pb2.BeginFederatedLoginResponse.FromString
    return Operation(f"{_SERVICE}/BeginFederatedLogin", request, parse, responses.federated_outcome, is_login=True)


def authenticate_federated(
    tenant: str,
    callback_parameters: Mapping[str, str],
    browser_binding: str,
    issue: TokenOptions | CookieOptions | None,
    device: Device | None,
) -> Operation[outcomes.LoginOutcome]:
    credential = authentication_pb2.FederatedCredential(
        callback_parameters=callback_parameters, browser_binding=browser_binding
    )
    request = authentication_pb2.AuthenticateRequest(
        tenant=tenant, federated=credential, client=client_context(device), issue=issue_options(issue)
    )
    parse = authentication_pb2.AuthenticateResponse.FromString
    return Operation(f"{_SERVICE}/Authenticate", request, parse, responses.login_outcome, is_login=True)


def enroll_totp(
    tenant: str, challenge_token: str, device: Device | None
) -> Operation[outcomes.TotpEnrollment | outcomes.Rejected]:
    request = authentication_pb2.EnrollTotpRequest(
        tenant=tenant, challenge_token=challenge_token, client=client_context(device)
    )
    parse = authentication_pb2.EnrollTotpResponse.FromString
    return Operation(f"{_SERVICE}/EnrollTotp", request, parse, responses.enrollment_outcome)


def confirm_totp(
    tenant: str,
    challenge_token: str,
    totp_code: str,
    issue: TokenOptions | CookieOptions | None,
    device: Device | None,
) -> Operation[outcomes.TotpConfirmation | outcomes.Rejected]:
    request = authentication_pb2.ConfirmTotpRequest(
        tenant=tenant,
        challenge_token=challenge_token,
        totp_code=totp_code,
        client=client_context(device),
        issue=issue_options(issue),
    )
    parse = authentication_pb2.ConfirmTotpResponse.FromString
    return Operation(f"{_SERVICE}/ConfirmTotp", request, parse, responses.confirmation_outcome, is_login=True)


def change_password(
    tenant: str,
    challenge_token: str,
    new_password: str,
    issue: TokenOptions | CookieOptions | None,
    device: Device | None,
) -> Operation[outcomes.LoginOutcome]:
    request = authentication_pb2.ChangePasswordRequest(
        tenant=tenant,
        challenge_token=challenge_token,
        new_password=new_password,
        client=client_context(device),
        issue=issue_options(issue),
    )
    parse = authentication_pb2.ChangePasswordResponse.FromString
    return Operation(f"{_SERVICE}/ChangePassword", request, parse, responses.login_outcome, is_login=True)
