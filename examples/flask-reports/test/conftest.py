"""A service with the example's people, and the application on a proxy to it."""

from collections.abc import Iterator

import pytest
from running import Running

from reports.app import create_app
from reports.seed import AUDIENCE, seed
from tests.support.proxy import Proxy
from tests.support.service import ISSUER, Service


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.remove()


@pytest.fixture
def running(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    seeded = seed(service.grpc, service.admin_key)
    proxy = Proxy(service.grpc)
    given = {"ADDRESS": proxy.address, "API_KEY": seeded.application_key, "AUDIENCE": AUDIENCE, "ISSUER": ISSUER}
    for name, value in {**given, "TIMEOUT_MS": "2000", "LOGIN_TIMEOUT_MS": "4000"}.items():
        monkeypatch.setenv(f"SALLYPORT_CLIENT_{name}", value)
    app = create_app()
    # The cookie is for https only, and the origin of the application's own pages follows from it.
    app.config["PREFERRED_URL_SCHEME"] = "https"
    yield Running(service, proxy, app.test_client(use_cookies=False), seeded)
    app.extensions["sallyport"].close()
    proxy.close()
