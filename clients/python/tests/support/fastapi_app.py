"""A FastAPI application with guards, as README.md shows it, and a little more for the tests."""

from typing import Annotated

from fastapi import Depends, FastAPI, Response

from sallyport import Settings
from sallyport.fastapi import Sallyport
from sallyport.web.incoming import RequestPrincipal


def create_app(settings: Settings) -> tuple[FastAPI, Sallyport]:
    app = FastAPI()
    sallyport = Sallyport(settings=settings)
    sallyport.init_app(app)
    may_read = sallyport.require_permission("reports:read", resource=lambda report_id: ("report", report_id))
    may_write = sallyport.require_permission("reports:write", context=lambda request: {"path": request.url.path})
    may_delete = sallyport.require_permission("users:delete", resource=lambda user_id: ("user", user_id))

    @app.get("/")
    @app.post("/feedback")
    def home(principal: Annotated[RequestPrincipal | None, Depends(sallyport.principal)]) -> dict[str, str | None]:
        return {"user": None if principal is None else principal.subject.id}

    @app.get("/me")
    def me(principal: Annotated[RequestPrincipal, Depends(sallyport.require_login)]) -> dict[str, str]:
        return {"user": principal.subject.id, "csrf_token": principal.csrf_token}

    @app.get("/reports/{report_id}", dependencies=[Depends(may_read)])
    def report(report_id: str) -> dict[str, str]:
        return {"report": report_id}

    @app.post("/reports", dependencies=[Depends(may_write)])
    async def write_report() -> dict[str, str]:
        return {"written": "yes"}

    @app.delete("/users/{user_id}", dependencies=[Depends(may_delete)])
    def delete_user(user_id: str) -> Response:
        return Response(status_code=204)

    return app, sallyport
