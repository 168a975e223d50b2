"""Logins, sessions, CSRF, API keys and permissions for a Flask application.

A request whose credential is not good is served as nobody's: `g.principal` is None, and whatever requires more answers 401, 403, 429 or
503. A request that would change something under a cookie is refused before any view unless session, Origin and CSRF token are right.
"""

import functools
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ParamSpec, TypeVar

from flask import Flask, Response, current_app, g, request
from flask.typing import ResponseReturnValue

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
from sallyport.web.perform import perform
from sallyport.web.reply import Refusal, Reply, unavailable
from sallyport.web.steps import Steps

Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")
View = Callable[Parameters, ResponseReturnValue | Awaitable[ResponseReturnValue]]
Guarded = Callable[Parameters, ResponseReturnValue]

_DEFAULTS: Mapping[str, str] = {
    "SALLYPORT_LOGIN_PATH": "/login",
    "SALLYPORT_CODE_PATH": "/login/code",
    "SALLYPORT_ENROLL_PATH": "/login/totp",
    "SALLYPORT_CONFIRM_PATH": "/login/totp/code",
    "SALLYPORT_PASSWORD_PATH": "/login/password",
    "SALLYPORT_LOGOUT_PATH": "/logout",
    "SALLYPORT_COOKIE_NAME": SESSION_COOKIE,
}


class Sallyport:
    """The extension. `init_app` may be called for several applications; all use the same client.

    `app.config` may set the paths SALLYPORT_LOGIN_PATH (`/login`), SALLYPORT_CODE_PATH (`/login/code`), SALLYPORT_ENROLL_PATH
    (`/login/totp`), SALLYPORT_CONFIRM_PATH (`/login/totp/code`), SALLYPORT_PASSWORD_PATH (`/login/password`) and SALLYPORT_LOGOUT_PATH
    (`/logout`), each None to leave it out, and SALLYPORT_COOKIE_NAME (`__Host-session`).
    """

    def __init__(self, app: Flask | None = None, *, settings: Settings | None = None) -> None:
        """`settings` None: those of the environment, read by the first `init_app`."""
        self._settings = settings
        self._client: Client | None = None
        self._verifier: TokenVerifier | None = None
        if app is not None:
            self.init_app(app)

    @property
    def client(self) -> Client:
        """For further calls. Raises RuntimeError before `init_app`."""
        if self._client is None:
            raise RuntimeError("call init_app first")
        return self._client

    def init_app(self, app: Flask) -> None:
        """Adds the routes, `g.principal` and the error answers. Opens no connection. Raises SettingsError."""
        if self._client is None:
            settings = self._settings or Settings.from_env()
            self._client = Client(settings)
            self._verifier = TokenVerifier(self._client) if settings.issuer and settings.audience else None
        for name, value in _DEFAULTS.items():
            app.config.setdefault(name, value)
        for name, view in self._views().items():
            path = app.config[f"SALLYPORT_{name}_PATH"]
            if path is not None:
                app.add_url_rule(path, f"sallyport.{name.lower()}", view, methods=["POST"])
        app.before_request(self._authenticate)
        app.register_error_handler(Refusal, _refused)
        app.register_error_handler(Unavailable, lambda error: _refused(unavailable(error.retry_after)))
        app.extensions["sallyport"] = self

    def close(self) -> None:
        """Stops following revocations and closes the channel of this process; for tests and scripts that end."""
        if self._verifier is not None:
            self._verifier.close()
        if self._client is not None:
            self._client.close()

    def require_login(self, view: View[Parameters]) -> Guarded[Parameters]:
        """Decorates a view that only somebody who is known may see: 401 otherwise, and 503 when that cannot be told."""

        @functools.wraps(view)
        def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> ResponseReturnValue:
            _principal()
            return current_app.ensure_sync(view)(*args, **kwargs)  # type: ignore[no-any-return]

        return guarded

    def require_permission(
        self,
        permission: str,
        resource: Callable[..., ResourceLike] | None = None,
        *,
        context: Callable[[], Mapping[str, Any]] | None = None,
    ) -> Callable[[View[Parameters]], Guarded[Parameters]]:
        """Decorates a view that takes a permission: 401 without a credential, 403 when it is denied, 503 when that cannot be told.

        `resource` is called with the arguments of the view and gives type and id, or a Resource; absent: the whole tenant. `context`
        gives attributes of the request for conditions, JSON values. Put it below the route's decorator.
        """

        def decorate(view: View[Parameters]) -> Guarded[Parameters]:
            @functools.wraps(view)
            def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> ResponseReturnValue:
                _principal()
                self.check_permission(
                    permission,
                    None if resource is None else resource(*args, **kwargs),
                    context=None if context is None else context(),
                )
                return current_app.ensure_sync(view)(*args, **kwargs)  # type: ignore[no-any-return]

            return guarded

        return decorate

    def check_permission(
        self, permission: str, resource: ResourceLike | None = None, *, context: Mapping[str, Any] | None = None
    ) -> None:
        """The same inside a view. Raises Refusal, which becomes the answer, unless the request's principal may."""
        principal = _principal()
        settings, incoming = self.client.settings, self._incoming()
        self._perform(steps.permit(settings, incoming, principal, permission, resource, context))

    def log_in(self, identifier: str, password: str) -> LoginOutcome:
        """For an application with a login view of its own; answer with `login_response`. Raises Refusal."""
        return self._perform(steps.log_in(self.client.settings, self._incoming(), _cookie_name(), identifier, password))

    def take_code(self, challenge: str, code: str) -> LoginOutcome:
        """The second step of such a login, by six digits or a recovery code. Raises Refusal."""
        incoming = self._incoming()
        return self._perform(steps.take_code(self.client.settings, incoming, _cookie_name(), challenge, code))

    def login_response(self, outcome: LoginOutcome) -> Response:
        """200 with the cookie or 202 with the challenge; raises Refusal: 401, or 429 with Retry-After."""
        return _response(steps.login_reply(outcome))

    def enroll_totp(self, challenge: str) -> TotpEnrollment:
        """For views of your own, the step ENROLL_TOTP: what the user's app takes. Raises Refusal."""
        return self._perform(challenge_steps.enroll_totp(self.client.settings, self._incoming(), challenge))

    def confirm_totp(self, challenge: str, code: str) -> TotpConfirmation:
        """Its end, by a first code; show the recovery codes, and answer with `confirmation_response`. Raises Refusal."""
        given = (self.client.settings, self._incoming(), _cookie_name())
        return self._perform(challenge_steps.confirm_totp(*given, challenge, code))

    def confirmation_response(self, confirmation: TotpConfirmation) -> Response:
        """As `login_response`, with the recovery codes."""
        return _response(challenge_steps.confirmation_reply(confirmation))

    def change_password(self, challenge: str, new_password: str) -> LoginOutcome:
        """The step CHANGE_PASSWORD; answer with `login_response`. Raises Refusal, with `rules` where the password breaks some."""
        given = (self.client.settings, self._incoming(), _cookie_name())
        return self._perform(challenge_steps.change_password(*given, challenge, new_password))

    def begin_federated_login(self, provider_id: str, redirect_uri: str) -> Response:
        """For a GET view: 303 to the identity provider, with a cookie of ten minutes. The query may hold `return_to`, a path of this
        application. `redirect_uri` is the absolute address of the view with `finish_federated_login`. Raises Refusal: 403, 429, 503.
        """
        return _response(
            self._perform(federated.begin(self.client.settings, self._incoming(), provider_id, redirect_uri))
        )

    def finish_federated_login(
        self, on_challenge: Callable[[Challenge, str], ResponseReturnValue] | None = None
    ) -> Response:
        """For the GET view that the provider sends the browser back to: 303 to where the login was begun for, with the session's cookie, or
        202 as `/login`. `on_challenge` answers that with a page; it gets the challenge and the path. Raises Refusal: 400, 401, 403, 429 or
        503; then the login begins anew.
        """
        given = (self.client.settings, self._incoming(), _cookie_name())
        outcome, return_to = self._perform(federated.finish(*given))
        if on_challenge is None or not isinstance(outcome, Challenge):
            return _response(federated.finish_reply(outcome, return_to))
        response = current_app.make_response(current_app.ensure_sync(on_challenge)(outcome, return_to))
        for name, value in federated.finish_headers():
            response.headers.add(name, value)
        return response

    def _views(self) -> Mapping[str, Callable[[], Response]]:
        return {
            "LOGIN": self._login_view,
            "CODE": self._code_view,
            "ENROLL": self._enroll_view,
            "CONFIRM": self._confirm_view,
            "PASSWORD": self._password_view,
            "LOGOUT": self._logout_view,
        }

    def _authenticate(self) -> None:
        g.principal, g.sallyport_refusal = None, None
        own = (None, "static", *(f"sallyport.{name.lower()}" for name in self._views()))
        if request.endpoint in own:
            return
        incoming = self._incoming()
        try:
            g.principal = self._perform(steps.authenticate(self.client.settings, incoming))
        except Refusal as refusal:
            # A page for everybody is shown with an old cookie, too. But what would change something is not done as nobody when it may
            # have been meant as somebody, or comes from another site's page.
            if not incoming.is_safe and refusal.status != 401:
                raise
            g.sallyport_refusal = refusal

    def _login_view(self) -> Response:
        given = _fields("identifier", "password")
        return self.login_response(self.log_in(given["identifier"], given["password"]))

    def _code_view(self) -> Response:
        given = _fields("challenge", "code")
        return self.login_response(self.take_code(given["challenge"], given["code"]))

    def _enroll_view(self) -> Response:
        enrollment = self.enroll_totp(_fields("challenge")["challenge"])
        return _response(challenge_steps.enrollment_reply(enrollment))

    def _confirm_view(self) -> Response:
        given = _fields("challenge", "code")
        return self.confirmation_response(self.confirm_totp(given["challenge"], given["code"]))

    def _password_view(self) -> Response:
        given = _fields("challenge", "newPassword")
        return self.login_response(self.change_password(given["challenge"], given["newPassword"]))

    def _logout_view(self) -> Response:
        return _response(self._perform(steps.log_out(self.client.settings, self._incoming(), _cookie_name())))

    def _incoming(self) -> Incoming:
        settings = self.client.settings
        # The Host header is the browser's own word about where it sends the request; a page of another site cannot choose it.
        own = f"{request.scheme}://{request.host}"
        cookies = request.headers.getlist("cookie")
        return Incoming(
            method=request.method,
            authorization=request.headers.get("authorization", ""),
            api_key=request.headers.get(API_KEY_HEADER, ""),
            session_token=cookie_of(cookies, _cookie_name()),
            csrf_token=_csrf_token(),
            login_cookie=cookie_of(cookies, federated.LOGIN_COOKIE),
            query=request.query_string.decode("latin-1"),
            origin=request.headers.get("origin", ""),
            allowed_origins=settings.origins or (own,),
            device=device_of(request.remote_addr, request.headers.get("user-agent")),
        )

    def _perform(self, given: Steps[Answer]) -> Answer:
        return perform(given, self.client, self._verifier)


def _principal() -> RequestPrincipal:
    """Raises Refusal when the request has none, with the reason why."""
    if g.sallyport_refusal is not None:
        raise g.sallyport_refusal
    if g.principal is None:
        raise Refusal("credential_missing")
    principal: RequestPrincipal = g.principal
    return principal


def _cookie_name() -> str:
    return str(current_app.config["SALLYPORT_COOKIE_NAME"])


def _csrf_token() -> str:
    if request.method in SAFE_METHODS:
        return ""
    # A form is only read where there is no header, because reading it takes the body from a view that streams.
    return request.headers.get(CSRF_HEADER) or request.form.get(CSRF_FIELD, "")


def _fields(*names: str) -> dict[str, str]:
    """Fields of a JSON body or a form; absent ones are empty. Raises Refusal when one is no text."""
    given = request.get_json(silent=True) if request.is_json else request.form
    return text_fields(given, names)


def _refused(refusal: Refusal) -> Response:
    return _response(refusal.reply)


def _response(reply: Reply) -> Response:
    body = "" if reply.body is None else json.dumps(reply.body)
    response = Response(body, reply.status, content_type=reply.content_type)
    for name, value in reply.headers:
        response.headers.add(name, value)
    return response
