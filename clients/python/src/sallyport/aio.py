"""The same client for asyncio. Each event loop of each process has its own channel, opened on its first call."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, TypeVar

import grpc

from sallyport import operations, outcomes
from sallyport.call_metadata import with_metadata, with_request_id
from sallyport.channel_options import channel_options, target_of, tls_of
from sallyport.errors import error_of
from sallyport.names import ApiKey, CookieOptions, Device, Principal, ResourceLike, Subject, TokenOptions
from sallyport.operations import Operation, Question
from sallyport.per_process import PerProcess
from sallyport.settings import Settings

Answer = TypeVar("Answer")
Stub = TypeVar("Stub")


class Client:
    """Calls Sallyport like `sallyport.Client`, which documents the calls: the same arguments, answers and errors."""

    def __init__(self, settings: Settings) -> None:
        """Opens nothing yet; needs no event loop."""
        self.settings = settings
        self._channels = PerProcess(dict[asyncio.AbstractEventLoop, grpc.aio.Channel])

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "Client":
        return cls(Settings.from_env(environ))

    async def authenticate(
        self,
        identifier: str,
        password: str,
        *,
        issue: TokenOptions | CookieOptions | None = None,
        device: Device | None = None,
        timeout: float | None = None,
    ) -> outcomes.LoginOutcome:
        operation = operations.authenticate(self.settings.tenant, identifier, password, issue, device)
        return await self.perform(operation, timeout)

    async def verify_totp(
        self,
        challenge_token: str,
        *,
        totp_code: str = "",
        recovery_code: str = "",
        issue: TokenOptions | CookieOptions | None = None,
        device: Device | None = None,
        timeout: float | None = None,
    ) -> outcomes.LoginOutcome:
        tenant = self.settings.tenant
        operation = operations.verify_totp(tenant, challenge_token, totp_code, recovery_code, issue, device)
        return await self.perform(operation, timeout)

    async def issue_tokens(
        self,
        proof: str | Subject | ApiKey,
        options: TokenOptions,
        *,
        device: Device | None = None,
        request_id: str = "",
        timeout: float | None = None,
    ) -> outcomes.TokensOutcome:
        operation = operations.issue_tokens(self.settings.tenant, proof, options, device, request_id)
        return await self.perform(operation, timeout)

    async def rotate_refresh(
        self,
        refresh_token: str,
        *,
        scopes: Iterable[str] = (),
        device: Device | None = None,
        timeout: float | None = None,
    ) -> outcomes.TokensOutcome:
        operation = operations.rotate_refresh(self.settings.tenant, refresh_token, scopes, device)
        return await self.perform(operation, timeout)

    async def authorize(
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
        question = Question(permission, resource, context, principal)
        operation = operations.authorize(self.settings.tenant, question, at_least_revision, explain)
        return await self.perform(operation, timeout)

    async def batch_authorize(
        self,
        principal: Principal | None,
        questions: Iterable[Question],
        *,
        context: Mapping[str, Any] | None = None,
        at_least_revision: str = "",
        timeout: float | None = None,
    ) -> tuple[outcomes.Decision, ...]:
        tenant = self.settings.tenant
        operation = operations.batch_authorize(tenant, principal, questions, context, at_least_revision)
        return await self.perform(operation, timeout)

    async def verify_api_key(
        self,
        api_key: str,
        permission: str = "",
        resource: ResourceLike | None = None,
        *,
        context: Mapping[str, Any] | None = None,
        device: Device | None = None,
        timeout: float | None = None,
    ) -> outcomes.ApiKeyVerdict:
        tenant = self.settings.tenant
        operation = operations.verify_api_key(tenant, api_key, permission, resource, context, device)
        return await self.perform(operation, timeout)

    async def verify_session(
        self,
        session_token: str,
        http_method: str,
        *,
        origin: str = "",
        allowed_origins: Iterable[str] = (),
        csrf_token: str = "",
        timeout: float | None = None,
    ) -> outcomes.Session | outcomes.Inactive:
        tenant = self.settings.tenant
        operation = operations.verify_session(tenant, session_token, http_method, origin, allowed_origins, csrf_token)
        return await self.perform(operation, timeout)

    async def verify_token(
        self, access_token: str, *, audience: str = "", timeout: float | None = None
    ) -> outcomes.TokenClaims | outcomes.Inactive:
        operation = operations.verify_token(self.settings.tenant, access_token, audience or self.settings.audience)
        return await self.perform(operation, timeout)

    async def revoke_sessions(
        self,
        *,
        session_token: str = "",
        refresh_token: str = "",
        session_id: str = "",
        user_id: str = "",
        timeout: float | None = None,
    ) -> int:
        tenant = self.settings.tenant
        operation = operations.revoke_sessions(tenant, session_token, refresh_token, session_id, user_id)
        return await self.perform(operation, timeout)

    def stub(self, kind: Callable[[grpc.aio.Channel], Stub]) -> Stub:
        """A generated stub on this event loop's channel, for the rest of the API; it raises grpc.RpcError (see error_of)."""
        return kind(self._channel())

    async def perform(self, operation: Operation[Answer], timeout: float | None = None) -> Answer:
        """Makes one call of `sallyport.operations`."""
        default = self.settings.login_timeout if operation.is_login else self.settings.timeout
        call = self._channel().unary_unary(
            operation.path,
            request_serializer=type(operation.request).SerializeToString,
            response_deserializer=operation.response_from,
        )
        try:
            response = await call(operation.request, timeout=default if timeout is None else timeout)
        except grpc.RpcError as error:
            raise error_of(error) from None
        return operation.read(response)

    async def close(self) -> None:
        """Ends running calls of this event loop and closes its channel. A later call opens another one."""
        channel = self._channels.get().pop(asyncio.get_running_loop(), None)
        if channel is not None:
            await channel.close()

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def _channel(self) -> grpc.aio.Channel:
        loop = asyncio.get_running_loop()
        channels = self._channels.get()
        if loop not in channels:
            # A channel works on the loop that made it, and dies with it.
            for ended in [one for one in channels if one.is_closed()]:
                del channels[ended]
            channels[loop] = self._open()
        return channels[loop]

    def _open(self) -> grpc.aio.Channel:
        tls = tls_of(self.settings)
        target, options = target_of(self.settings), channel_options(self.settings)
        interceptors = interceptors_of(self.settings)
        if tls is None:
            return grpc.aio.insecure_channel(target, options, interceptors=interceptors)
        return grpc.aio.secure_channel(target, tls, options, interceptors=interceptors)


def interceptors_of(settings: Settings) -> list[grpc.aio.ClientInterceptor]:
    """One of each kind: grpc.aio sorts an object that is of several kinds under the first one only."""
    return [_UnaryUnary(settings), _UnaryStream(settings), _StreamUnary(settings), _StreamStream(settings)]


class _UnaryUnary(grpc.aio.UnaryUnaryClientInterceptor):
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def intercept_unary_unary(self, proceed: Callable[..., Any], details: Any, request: Any) -> Any:
        return await proceed(with_metadata(details, self._settings), with_request_id(details, request))


class _UnaryStream(grpc.aio.UnaryStreamClientInterceptor):
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def intercept_unary_stream(self, proceed: Callable[..., Any], details: Any, request: Any) -> Any:
        return await proceed(with_metadata(details, self._settings), request)


class _StreamUnary(grpc.aio.StreamUnaryClientInterceptor):
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def intercept_stream_unary(self, proceed: Callable[..., Any], details: Any, requests: Any) -> Any:
        return await proceed(with_metadata(details, self._settings), requests)


class _StreamStream(grpc.aio.StreamStreamClientInterceptor):
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def intercept_stream_stream(self, proceed: Callable[..., Any], details: Any, requests: Any) -> Any:
        return await proceed(with_metadata(details, self._settings), requests)
