"""A Flask application with guards, as README.md shows it, and a little more for the tests."""

import os

from flask import Flask, g

from sallyport import Resource
from sallyport.flask import Sallyport


def create_app() -> Flask:
    app = Flask(__name__)
    sallyport = Sallyport()
    sallyport.init_app(app)

    @app.get("/")
    def home() -> dict[str, str | None]:
        return {"user": None if g.principal is None else g.principal.subject.id}

    @app.post("/feedback")
    def feedback() -> dict[str, str]:
        return {"thanks": "whoever" if g.principal is None else g.principal.subject.id}

    @app.get("/me")
    @sallyport.require_login
    def me() -> dict[str, object]:
        return {"user": g.principal.subject.id, "csrf_token": g.principal.csrf_token, "pid": os.getpid()}

    @app.get("/reports/<report_id>")
    @sallyport.require_permission("reports:read", resource=lambda report_id: ("report", report_id))
    def report(report_id: str) -> dict[str, object]:
        return {"report": report_id, "pid": os.getpid()}

    @app.post("/reports")
    @sallyport.require_permission("reports:write")
    async def write_report() -> dict[str, str]:
        return {"written": "yes"}

    @app.delete("/users/<user_id>")
    @sallyport.require_permission("users:delete", resource=lambda user_id: ("user", user_id))
    def delete_user(user_id: str) -> tuple[str, int]:
        return "", 204

    @app.get("/shared/<owner>")
    @sallyport.require_permission("reports:share", resource=lambda owner: Resource("report", "1", {"owner": owner}))
    def shared(owner: str) -> dict[str, str]:
        return {"owner": owner}

    return app
