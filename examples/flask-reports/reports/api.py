"""What machines use. An access token is verified in this process: by Sallyport's keys, and by its stream of revocations."""

from flask import Blueprint, Response, abort, g, jsonify

from reports.library import Library
from sallyport import ApiKey, SessionToken, TokenOptions, Tokens
from sallyport.flask import Sallyport
from sallyport.web.reply import Refusal


def machines(sallyport: Sallyport, library: Library) -> Blueprint:
    api = Blueprint("api", __name__, url_prefix="/api")

    @api.before_request
    def no_cookies() -> None:
        """A browser sends its cookie unasked; what is here answers only who shows a credential on purpose."""
        if g.principal is not None and isinstance(g.principal.credential, SessionToken):
            raise Refusal("credential_missing")

    @api.post("/token")
    @sallyport.require_login
    def token() -> Response:
        """A short-lived access token for an API key, so that the key itself travels seldom."""
        credential = g.principal.credential
        if not isinstance(credential, ApiKey):
            raise Refusal("forbidden")
        settings = sallyport.client.settings
        tokens = sallyport.client.issue_tokens(credential, TokenOptions(audience=[settings.audience]))
        if not isinstance(tokens, Tokens):
            # The key ended after it was looked at.
            raise Refusal("credential_invalid")
        response = jsonify(access_token=tokens.access_token, token_type="Bearer")  # noqa: S106
        response.headers["Cache-Control"] = "no-store"
        return response

    @api.get("/whoami")
    @sallyport.require_login
    def whoami() -> dict[str, str]:
        """With an access token this asks Sallyport nothing."""
        return {"type": g.principal.subject.type, "id": g.principal.subject.id}

    @api.get("/reports/<report_id>")
    @sallyport.require_permission("reports:read", resource=lambda report_id: ("report", report_id))
    def show(report_id: str) -> dict[str, object]:
        report = library.find(report_id) or abort(404)
        return {"id": report.id, "title": report.title, "figures": report.figures, "published": report.published}

    return api
