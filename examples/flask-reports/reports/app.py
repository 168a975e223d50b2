"""The application: pages for people, who come with a cookie, and an API for machines, who come with a key or a token."""

from flask import Flask, abort, g, redirect, render_template
from werkzeug.wrappers import Response

from reports.api import machines
from reports.library import Library, Report
from sallyport.flask import Sallyport


def create_app() -> Flask:
    """Settings come from the environment, SALLYPORT_CLIENT_... Raises SettingsError."""
    app = Flask(__name__)
    sallyport = Sallyport()
    sallyport.init_app(app)  # POST /login and /logout
    library = Library()
    app.register_blueprint(machines(sallyport, library))

    def report_or_404(report_id: str) -> Report:
        return library.find(report_id) or abort(404)

    @app.get("/")
    def home() -> str:
        return render_template("home.html", principal=g.principal, reports=library.all())

    # The permission is asked before the report is looked for: who may not read it does not learn whether it is there.
    @app.get("/reports/<report_id>")
    @sallyport.require_permission("reports:read", resource=lambda report_id: ("report", report_id))
    def show(report_id: str) -> str:
        return render_template("report.html", principal=g.principal, report=report_or_404(report_id))

    @app.post("/reports/<report_id>/publish")
    @sallyport.require_permission("reports:publish", resource=lambda report_id: ("report", report_id))
    def publish(report_id: str) -> Response:
        if library.publish(report_id) is None:
            abort(404)
        return redirect(f"/reports/{report_id}", 303)

    return app
