"""One service for all tests that do not stop it, with the users and keys of tests/support/world.py."""

from collections.abc import Iterator

import pytest

from sallyport import Client
from tests.support.service import Service
from tests.support.world import World, make_world


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    # The logins of all tests come from one address.
    service = Service(SALLYPORT_RATE_PER_CLIENT="100000")
    yield service
    service.remove()


@pytest.fixture(scope="session")
def world(service: Service) -> World:
    return make_world(service)


@pytest.fixture
def client(world: World) -> Iterator[Client]:
    with world.client() as client:
        yield client
