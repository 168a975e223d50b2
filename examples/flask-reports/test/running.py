"""The application with the service that it asks, and the people and machines that use it."""

from dataclasses import dataclass

from flask.testing import FlaskClient

from reports.seed import PASSWORD, Seeded
from sallyport import Client, Settings
from tests.support.proxy import Proxy
from tests.support.service import Service
from tests.support.web_world import Browser, browser_of


@dataclass(frozen=True)
class Running:
    service: Service
    proxy: Proxy
    http: FlaskClient
    seeded: Seeded

    def log_in(self, name: str) -> Browser:
        response = self.http.post("/login", data={"identifier": f"{name}@reports.example", "password": PASSWORD})
        assert response.status_code == 200, response.text
        return browser_of(response.headers["set-cookie"], response.get_json())

    def machine(self) -> dict[str, str]:
        """The headers of a machine that shows its key."""
        return {"x-api-key": self.seeded.machine_key}

    def token(self) -> dict[str, str]:
        """The headers of a machine that shows an access token, got for its key."""
        response = self.http.post("/api/token", headers=self.machine())
        assert response.status_code == 200, response.text
        return {"authorization": f"Bearer {response.get_json()['access_token']}"}

    def admin(self) -> Client:
        return Client(Settings(address=self.service.grpc, api_key=self.service.admin_key))
