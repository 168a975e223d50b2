"""A service that is away, slow, hung or half there: no call hangs past its deadline, and none needs a new client afterwards."""

import time
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager

import grpc
import pytest

from sallyport import Client, Settings, Subject, Unavailable
from sallyport.v1 import authorization_pb2, decision_pb2
from tests.support.eventually import eventually
from tests.support.proxy import Proxy
from tests.support.service import Service
from tests.support.world import World

TIMEOUT = 3.0
NOBODY = Subject("user", "1")


def is_answered(client: Client) -> bool:
    """Whether there is an answer; whatever it is, it is within the timeout."""
    begun = time.monotonic()
    try:
        client.authorize(NOBODY, "reports:read")
    except Unavailable:
        return False
    finally:
        # Patience for a busy machine; a call without a deadline would take for ever.
        assert time.monotonic() - begun < TIMEOUT + 12
    return True


@pytest.fixture
def own_service() -> Iterator[Service]:
    service = Service()
    yield service
    service.remove()


def client_of(service: Service, address: str = "") -> Client:
    return Client(Settings(address=address or service.grpc, api_key=service.admin_key, timeout=TIMEOUT))


def test_a_stopped_service_is_unavailable_until_it_is_back(own_service: Service) -> None:
    with client_of(own_service) as client:
        assert is_answered(client)
        own_service.stop()
        assert not is_answered(client)
        own_service.restart()
        eventually(lambda: is_answered(client))


def test_a_hung_service_is_unavailable_after_the_deadline(own_service: Service) -> None:
    with client_of(own_service) as client:
        assert is_answered(client)
        own_service.pause()
        assert not is_answered(client)
        own_service.resume()
        eventually(lambda: is_answered(client))


def test_a_network_that_swallows_everything_is_noticed_by_the_deadline(service: Service) -> None:
    proxy = Proxy(service.grpc)
    with client_of(service, proxy.address) as client:
        assert is_answered(client)
        proxy.stall()
        assert not is_answered(client)
        proxy.flow()
        eventually(lambda: is_answered(client))
    proxy.close()


def test_a_connection_that_is_lost_between_two_calls_costs_no_call(service: Service) -> None:
    proxy = Proxy(service.grpc)
    with client_of(service, proxy.address) as client:
        for _ in range(5):
            assert is_answered(client)
            proxy.cut()
    proxy.close()


def test_calls_go_to_every_replica_in_turn_and_past_one_that_is_gone(service: Service) -> None:
    replicas = [Proxy(service.grpc), Proxy(service.grpc)]
    with client_of(service, ",".join(replica.address for replica in replicas)) as client:
        eventually(lambda: is_answered(client) and all(replica.connections for replica in replicas))
        replicas[0].close()
        assert all(is_answered(client) for _ in range(20))
    replicas[1].close()


@contextmanager
def pretended(status: bytes) -> Iterator[tuple[str, list[str]]]:
    """A server that says this of its health and allows everything; gives its address and what was asked of it."""
    asked: list[str] = []

    def authorize(_request: bytes, _context: grpc.ServicerContext) -> bytes:
        asked.append("Authorize")
        decision = decision_pb2.Decision(effect=decision_pb2.EFFECT_ALLOW)
        return authorization_pb2.AuthorizeResponse(decision=decision).SerializeToString()

    def watch(_request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        yield status
        while context.is_active():
            time.sleep(0.05)

    server = grpc.server(futures.ThreadPoolExecutor(8))
    services: dict[str, dict[str, grpc.RpcMethodHandler[bytes, bytes]]] = {
        "sallyport.v1.AuthorizationService": {"Authorize": grpc.unary_unary_rpc_method_handler(authorize)},
        "grpc.health.v1.Health": {"Watch": grpc.unary_stream_rpc_method_handler(watch)},
    }
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(*one) for one in services.items()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}", asked
    server.stop(grace=None).wait()


def test_a_replica_that_says_it_does_not_serve_is_left_alone(world: World) -> None:
    # grpc.health.v1.HealthCheckResponse with status 1, SERVING, and 2, NOT_SERVING: a replica that drains, or whose data is too old.
    with pretended(b"\x08\x01") as (serving, asked), pretended(b"\x08\x02") as (resting, asked_in_vain):
        settings = Settings(address=f"{serving},{resting}", api_key=world.app_key, timeout=TIMEOUT)
        with Client(settings) as client:
            for _ in range(20):
                assert client.authorize(NOBODY, "reports:read")
        assert len(asked) == 20
        assert asked_in_vain == []
        with Client(Settings(address=resting, api_key=world.app_key, timeout=TIMEOUT)) as client:
            assert not is_answered(client)
