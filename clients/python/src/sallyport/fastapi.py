"""Logins, sessions, CSRF, API keys and permissions for a FastAPI application, by the same rules as `sallyport.flask`."""

import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from fastapi import APIRouter, FastAPI, Request, Response

from sallyport import aio
from sallyport.client import Client
from sallyport.errors import Unavailable
from sallyport.names import ResourceLike
from sallyport.outcomes import Challenge, LoginOutcome, TotpConfirmation, TotpEnrollment
from sallyport.settings import Settings
from sallyport.token_verifier import TokenVerifier
from sallyport.web import challenge_steps, federated, steps
from sallyport.web.incoming import (
    API_KEY_HEADER,
    CSRF_FIELD,
    CSRF_HEADER,
    SAFE_METHODS,
    SESSION_COOKIE,
    Incoming,
    RequestPrincipal,
    cookie_of,
    device_of,
    text_fields,
)
from sallyport.web.perform import perform_async
from sallyport.web.reply import Refusal, Reply, unavailable
from sallyport.web.steps import Steps

Answer = TypeVar("Answer")

_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


class Sallyport:
    """`init_app` adds the routes and the error answers; the dependencies guard:

    `Depends(sallyport.principal)` gives a RequestPrincipal or None, `Depends(sallyport.require_login)` a RequestPrincipal, and
    `Depends(sallyport.require_permission("users:delete", resource=lambda user_id: ("user", user_id)))` lets through who may.
    """

    def __init__(self, *, settings: Settings | None = None, cookie_name: str = SESSION_COOKIE) -> None:
        """`settings` None: those of the environment. Opens no connection. Raises SettingsError."""
        self.settings = settings or Settings.from_env()
        self.client = aio.Client(self.settings)
        self._cookie_name = cookie_name
        # It follows revocations in a thread, by a channel of its own.
        self._blocking = Client(self.settings)
        verifies_here = self.settings.issuer and self.settings.audience
        self._verifier = TokenVerifier(self._blocking) if verifies_here else None

    def init_app(
        self,
        app: FastAPI,
        *,
        login_path: str | None = "/login",
        code_path: str | None = "/login/code",
        enroll_path: str | None = "/login/totp",
        confirm_path: str | None = "/login/totp/code",
        password_path: str | None = "/login/password",  # noqa: S107
        logout_path: str | None = "/logout",
    ) -> None:
        """A path that is None is left out."""
        router = APIRouter(lifespan=self._lifespan)
        views = (
            (login_path, self._login_view),
            (code_path, self._code_view),
            (enroll_path, self._enroll_view),
            (confirm_path, self._confirm_view),
            (password_path, self._password_view),
            (logout_path, self._logout_view),
        )
        for path, view in views:
            if path is not None:
                router.add_api_route(path, view, methods=["POST"], response_model=None)
        app.include_router(router)
        app.add_exception_handler(Refusal, _refused)
        app.add_exception_handler(Unavailable, _unavailable)

    async def principal(self, request: Request) -> RequestPrincipal | None:
        """Who makes the request; None without a credential, and for a safe request with one that is not good. An unsafe request under a
        cookie is refused unless session, Origin and CSRF token are right.
        """
        found = await self._authenticate(request)
        return found if isinstance(found, RequestPrincipal) else None

    async def require_login(self, request: Request) -> RequestPrincipal:
        """Who makes the request; refuses with 401 where nobody does, and with 503 when that cannot be told."""
        found = await self._authenticate(request)
        if isinstance(found, Refusal):
            raise found
        if found is None:
            raise Refusal("credential_missing")
        return found

    def require_permission(
        self,
        permission: str,
        resource: Callable[..., ResourceLike] | None = None,
        *,
        context: Callable[[Request], Mapping[str, Any]] | None = None,
    ) -> Callable[[Request], Coroutine[Any, Any, RequestPrincipal]]:
        """A dependency that gives the principal if it may, and refuses otherwise. `resource` is called with the path's parameters, as
        text, and gives type and id, or a Resource; absent: the whole tenant. `context` gives attributes for conditions.
        """

        async def permitted(request: Request) -> RequestPrincipal:
            principal = await self.require_login(request)
            await self.check_permission(
                request,
                permission,
                None if resource is None else resource(**request.path_params),
                context=None if context is None else context(request),
            )
            return principal

        return permitted

    async def check_permission(
        self,
        request: Request,
        permission: str,
        resource: ResourceLike | None = None,
        *,
        context: Mapping[str, Any] | None = None,
    ) -> None:
        """The same inside a view. Raises Refusal, which becomes the answer."""
        principal = await self.require_login(request)
        incoming = await self._incoming(request)
        await self._perform(steps.permit(self.settings, incoming, principal, permission, resource, context))

    async def log_in(self, request: Request, identifier: str, password: str) -> LoginOutcome:
        """For an application with a login view of its own; answer with `login_response`. Raises Refusal."""
        incoming = await self._incoming(request)
        return await self._perform(steps.log_in(self.settings, incoming, self._cookie_name, identifier, password))

    async def take_code(self, request: Request, challenge: str, code: str) -> LoginOutcome:
        """The second step of such a login, by six digits or a recovery code. Raises Refusal."""
        incoming = await self._incoming(request)
        return await self._perform(steps.take_code(self.settings, incoming, self._cookie_name, challenge, code))

    def login_response(self, outcome: LoginOutcome) -> Response:
        """200 with the cookie or 202 with the challenge; raises Refusal: 401, or 429 with Retry-After."""
        return _response(steps.login_reply(outcome))

    async def enroll_totp(self, request: Request, challenge: str) -> TotpEnrollment:
        """For views of your own, the step ENROLL_TOTP: what the user's app takes. Raises Refusal."""
        return await self._perform(challenge_steps.enroll_totp(self.settings, await self._incoming(request), challenge))

    async def confirm_totp(self, request: Request, challenge: str, code: str) -> TotpConfirmation:
        """Its end, by a first code; show the recovery codes, and answer with `confirmation_response`. Raises Refusal."""
        given = (self.settings, await self._incoming(request), self._cookie_name)
        return await self._perform(challenge_steps.confirm_totp(*given, challenge, code))

    def confirmation_response(self, confirmation: TotpConfirmation) -> Response:
        """As `login_response`, with the recovery codes."""
        return _response(challenge_steps.confirmation_reply(confirmation))

    async def change_password(self, request: Request, challenge: str, new_password: str) -> LoginOutcome:
        """The step CHANGE_PASSWORD; answer with `login_response`. Raises Refusal, with `rules` where the password breaks some."""
        given = (self.settings, await self._incoming(request), self._cookie_name)
        return await self._perform(challenge_steps.change_password(*given, challenge, new_password))

    async def begin_federated_login(self, request: Request, provider_id: str, redirect_uri: str) -> Response:
        """For a GET view: 303 to the identity provider, with a cookie of ten minutes. The query may hold `return_to`, a path of this
        application. `redirect_uri` is the absolute address of the view with `finish_federated_login`. Raises Refusal: 403, 429, 503.
        """
        incoming = await self._incoming(request)
        return _response(await self._perform(federated.begin(self.settings, incoming, provider_id, redirect_uri)))

    async def finish_federated_login(
        self, request: Request, on_challenge: Callable[[Challenge, str], Response] | None = None
    ) -> Response:
        """For the GET view that the provider sends the browser back to: 303 to where the login was begun for, with the session's cookie, or
        202 as `/login`. `on_challenge` answers that with a page; it gets the challenge and the path. Raises Refusal: 400, 401, 403, 429 or
        503; then the login begins anew.
        """
        given = (self.settings, await self._incoming(request), self._cookie_name)
        outcome, return_to = await self._perform(federated.finish(*given))
        if on_challenge is None or not isinstance(outcome, Challenge):
            return _response(federated.finish_reply(outcome, return_to))
        response = on_challenge(outcome, return_to)
        for name, value in federated.finish_headers():
            response.headers.append(name, value)
        return response

    async def close(self) -> None:
        """Stops following revocations and closes the channels; the application's shutdown does it."""
        if self._verifier is not None:
            self._verifier.close()
        self._blocking.close()
        await self.client.close()

    async def _authenticate(self, request: Request) -> RequestPrincipal | Refusal | None:
        """Once for each request, however many dependencies ask."""
        if not hasattr(request.state, "sallyport"):
            incoming = await self._incoming(request)
            try:
                request.state.sallyport = await self._perform(steps.authenticate(self.settings, incoming))
            except Refusal as refusal:
                request.state.sallyport = refusal
                # As in the Flask extension: what would change something is not done as nobody.
                if not incoming.is_safe and refusal.status != 401:
                    raise
        found: RequestPrincipal | Refusal | None = request.state.sallyport
        return found

    async def _login_view(self, request: Request) -> Response:
        given = await _fields(request, "identifier", "password")
        return self.login_response(await self.log_in(request, given["identifier"], given["password"]))

    async def _code_view(self, request: Request) -> Response:
        given = await _fields(request, "challenge", "code")
        return self.login_response(await self.take_code(request, given["challenge"], given["code"]))

    async def _enroll_view(self, request: Request) -> Response:
        given = await _fields(request, "challenge")
        return _response(challenge_steps.enrollment_reply(await self.enroll_totp(request, given["challenge"])))

    async def _confirm_view(self, request: Request) -> Response:
        given = await _fields(request, "challenge", "code")
        return self.confirmation_response(await self.confirm_totp(request, given["challenge"], given["code"]))

    async def _password_view(self, request: Request) -> Response:
        given = await _fields(request, "challenge", "newPassword")
        return self.login_response(await self.change_password(request, given["challenge"], given["newPassword"]))

    async def _logout_view(self, request: Request) -> Response:
        incoming = await self._incoming(request)
        return _response(await self._perform(steps.log_out(self.settings, incoming, self._cookie_name)))

    async def _incoming(self, request: Request) -> Incoming:
        headers = request.headers
        # The Host header is the browser's own word about where it sends the request; a page of another site cannot choose it.
        own = f"{request.url.scheme}://{headers.get('host', '')}"
        ip = None if request.client is None else request.client.host
        cookies = headers.getlist("cookie")
        return Incoming(
            method=request.method,
            authorization=headers.get("authorization", ""),
            api_key=headers.get(API_KEY_HEADER, ""),
            session_token=cookie_of(cookies, self._cookie_name),
            csrf_token=await _csrf_token(request),
            login_cookie=cookie_of(cookies, federated.LOGIN_COOKIE),
            query=request.url.query,
            origin=headers.get("origin", ""),
            allowed_origins=self.settings.origins or (own,),
            device=device_of(ip, headers.get("user-agent")),
        )

    async def _perform(self, given: Steps[Answer]) -> Answer:
        return await perform_async(given, self.client, self._verifier)

    @asynccontextmanager
    async def _lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        yield
        await self.close()


async def _csrf_token(request: Request) -> str:
    if request.method in SAFE_METHODS:
        return ""
    if token := request.headers.get(CSRF_HEADER):
        return token
    if not request.headers.get("content-type", "").startswith(_FORM_TYPES):
        return ""
    value = (await request.form()).get(CSRF_FIELD, "")
    return value if isinstance(value, str) else ""


async def _fields(request: Request, *names: str) -> dict[str, str]:
    """Fields of a JSON body or a form; absent ones are empty. Raises Refusal when one is no text."""
    if request.headers.get("content-type", "").startswith(_FORM_TYPES):
        return text_fields(await request.form(), names)
    try:
        return text_fields(json.loads(await request.body()), names)
    except ValueError:
        raise Refusal("malformed") from None


async def _refused(_request: Request, refusal: Exception) -> Response:
    if not isinstance(refusal, Refusal):
        raise refusal
    return _response(refusal.reply)


async def _unavailable(_request: Request, error: Exception) -> Response:
    return _response(unavailable(error.retry_after if isinstance(error, Unavailable) else None).reply)


def _response(reply: Reply) -> Response:
    body = "" if reply.body is None else json.dumps(reply.body)
    response = Response(body, reply.status, media_type=reply.content_type)
    for name, value in reply.headers:
        response.headers.append(name, value)
    return response
