"""The blocking client. Safe for threads; each process opens its own channel on the first call."""

from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, TypeVar

import grpc

from sallyport import operations, outcomes
from sallyport.call_metadata import CallMetadata
from sallyport.channel_options import channel_options, target_of, tls_of
from sallyport.errors import error_of
from sallyport.names import ApiKey, CookieOptions, Device, Principal, ResourceLike, Subject, TokenOptions
from sallyport.operations import Operation, Question
from sallyport.per_process import PerProcess
from sallyport.settings import Settings

Answer = TypeVar("Answer")
Stub = TypeVar("Stub")


class Client:
    """Calls Sallyport. `timeout` of a call is in seconds, retries included; the defaults are those of the settings.

    Every call raises a SallyportError when there is no answer: Unavailable when trying again later may help, CallerRefused when the
    key of this service is not good enough, InvalidRequest with the fields that were wrong.
    """

    def __init__(self, settings: Settings) -> None:
        """Opens nothing yet."""
        self.settings = settings
        self._channel = PerProcess(self._open)
        self._stubs = PerProcess(dict[Callable[[grpc.Channel], Any], Any])

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "Client":
        """With the settings of the environment. Raises SettingsError."""
        return cls(Settings.from_env(environ))

    def authenticate(
        self,
        identifier: str,
        password: str,
        *,
        issue: TokenOptions | CookieOptions | None = None,
        device: Device | None = None,
        timeout: float | None = None,
    ) -> outcomes.LoginOutcome:
        """Checks a password. With `issue` a finished login ends in tokens or a cookie session. Never repeated by itself: a
        repeat costs an attempt.
        """
        operation = operations.authenticate(self.settings.tenant, identifier, password, issue, device)
        return self.perform(operation, timeout)

    def verify_totp(
        self,
        challenge_token: str,
        *,
        totp_code: str = "",
        recovery_code: str = "",
        issue: TokenOptions | CookieOptions | None = None,
        device: Device | None = None,
        timeout: float | None = None,
    ) -> outcomes.LoginOutcome:
        """Takes the second step of a login, by a code of the app (six digits) or a recovery code."""
        tenant = self.settings.tenant
        operation = operations.verify_totp(tenant, challenge_token, totp_code, recovery_code, issue, device)
        return self.perform(operation, timeout)

    def issue_tokens(
        self,
        proof: str | Subject | ApiKey,
        options: TokenOptions,
        *,
        device: Device | None = None,
        request_id: str = "",
        timeout: float | None = None,
    ) -> outcomes.TokensOutcome:
        """Issues a token pair by the authentication token of a login, for a subject that this service vouches for, or an access
        token alone by an API key. `request_id` is a UUID to repeat an earlier call with; empty: a fresh one.
        """
        operation = operations.issue_tokens(self.settings.tenant, proof, options, device, request_id)
        return self.perform(operation, timeout)

    def rotate_refresh(
        self,
        refresh_token: str,
        *,
        scopes: Iterable[str] = (),
        device: Device | None = None,
        timeout: float | None = None,
    ) -> outcomes.TokensOutcome:
        """Spends a refresh token for the next pair. A repeat within the tenant's grace time (10 s) gives the same pair."""
        operation = operations.rotate_refresh(self.settings.tenant, refresh_token, scopes, device)
        return self.perform(operation, timeout)

    def authorize(
        self,
        principal: Principal,
        permission: str,
        resource: ResourceLike | None = None,
        *,
        context: Mapping[str, Any] | None = None,
        at_least_revision: str = "",
        explain: bool = False,
        timeout: float | None = None,
    ) -> outcomes.Decision:
        """Decides whether the principal may do this. Give the credential as it was received, so that its scopes count; only a
        Subject is believed as it is.
        """
        question = Question(permission, resource, context, principal)
        operation = operations.authorize(self.settings.tenant, question, at_least_revision, explain)
        return self.perform(operation, timeout)

    def batch_authorize(
        self,
        principal: Principal | None,
        questions: Iterable[Question],
        *,
        context: Mapping[str, Any] | None = None,
        at_least_revision: str = "",
        timeout: float | None = None,
    ) -> tuple[outcomes.Decision, ...]:
        """Decides 1 to 1,000 questions at one revision; the decisions are in their order."""
        tenant = self.settings.tenant
        operation = operations.batch_authorize(tenant, principal, questions, context, at_least_revision)
        return self.perform(operation, timeout)

    def verify_api_key(
        self,
        api_key: str,
        permission: str = "",
        resource: ResourceLike | None = None,
        *,
        context: Mapping[str, Any] | None = None,
        device: Device | None = None,
        timeout: float | None = None,
    ) -> outcomes.ApiKeyVerdict:
        """Says whose key this is and, where a permission is named, whether it may. A key with allowed networks needs `device.ip`."""
        tenant = self.settings.tenant
        operation = operations.verify_api_key(tenant, api_key, permission, resource, context, device)
        return self.perform(operation, timeout)

    def verify_session(
        self,
        session_token: str,
        http_method: str,
        *,
        origin: str = "",
        allowed_origins: Iterable[str] = (),
        csrf_token: str = "",
        timeout: float | None = None,
    ) -> outcomes.Session | outcomes.Inactive:
        """Judges a browser's request under its cookie: the session and, unless the method is safe, the CSRF token and Origin."""
        tenant = self.settings.tenant
        operation = operations.verify_session(tenant, session_token, http_method, origin, allowed_origins, csrf_token)
        return self.perform(operation, timeout)

    def verify_token(
        self, access_token: str, *, audience: str = "", timeout: float | None = None
    ) -> outcomes.TokenClaims | outcomes.Inactive:
        """Asks about an access token. `audience` empty: that of the settings; where that is empty too, it is not checked."""
        operation = operations.verify_token(self.settings.tenant, access_token, audience or self.settings.audience)
        return self.perform(operation, timeout)

    def revoke_sessions(
        self,
        *,
        session_token: str = "",
        refresh_token: str = "",
        session_id: str = "",
        user_id: str = "",
        timeout: float | None = None,
    ) -> int:
        """Ends the session of exactly one of these, or all of a user; returns how many were live. May be repeated."""
        tenant = self.settings.tenant
        operation = operations.revoke_sessions(tenant, session_token, refresh_token, session_id, user_id)
        return self.perform(operation, timeout)

    def stub(self, kind: Callable[[grpc.Channel], Stub]) -> Stub:
        """A generated stub on this process's channel, for the rest of the API; it raises grpc.RpcError (see error_of). Ask for it
        where it is used: one that is kept does not survive a fork. Example: `client.stub(UserServiceStub).GetUser(...)`.
        """
        stubs = self._stubs.get()
        if kind not in stubs:
            stubs[kind] = kind(self._channel.get())
        made: Stub = stubs[kind]
        return made

    def perform(self, operation: Operation[Answer], timeout: float | None = None) -> Answer:
        """Makes one call of `sallyport.operations`."""
        default = self.settings.login_timeout if operation.is_login else self.settings.timeout
        call = self._channel.get().unary_unary(
            operation.path,
            request_serializer=type(operation.request).SerializeToString,
            response_deserializer=operation.response_from,
        )
        try:
            response = call(operation.request, timeout=default if timeout is None else timeout)
        except grpc.RpcError as error:
            raise error_of(error) from None
        return operation.read(response)

    def close(self) -> None:
        """Ends running calls and closes the channel. A later call opens another one."""
        self._stubs.take()
        channel = self._channel.take()
        if channel is not None:
            channel.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> grpc.Channel:
        tls = tls_of(self.settings)
        target, options = target_of(self.settings), channel_options(self.settings)
        channel = grpc.insecure_channel(target, options) if tls is None else grpc.secure_channel(target, tls, options)
        return grpc.intercept_channel(channel, CallMetadata(self.settings))
