"""docs/clients.md advises keepalive pings every 30 s, also between calls; test/clients/keepalive.test.ts shows the same with grpc-js."""

import time

import grpc
import pytest

from sallyport import Client, Settings
from sallyport.channel_options import channel_options
from sallyport.v1 import token_pb2, token_pb2_grpc
from tests.support.proxy import Proxy
from tests.support.service import Service


def test_a_dead_connection_is_noticed_by_pings_and_the_server_bears_them(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service()
    faster = {"grpc.keepalive_time_ms": 20, "grpc.keepalive_timeout_ms": 3000, "grpc.http2.ping_timeout_ms": 3000}

    def options(settings: Settings) -> list[tuple[str, str | int]]:
        return list({**dict(channel_options(settings)), **faster}.items())

    monkeypatch.setattr("sallyport.client.channel_options", options)
    proxy = Proxy(service.grpc)
    with Client(Settings(address=proxy.address, api_key=service.admin_key)) as client:
        watch = client.stub(token_pb2_grpc.TokenServiceStub).WatchRevocations
        for _ in range(5):
            stream = watch(token_pb2.WatchRevocationsRequest())
            assert next(stream).HasField("snapshot")
            stream.cancel()
        assert proxy.connections == 1
        stream = watch(token_pb2.WatchRevocationsRequest())
        next(stream)
        # A process that hangs: its connections stay open, and nothing is said any more.
        service.pause()
        begun = time.monotonic()
        with pytest.raises(grpc.RpcError) as caught:
            list(stream)
        # Patience; without the last of these options it is a minute.
        assert time.monotonic() - begun < 15
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    proxy.close()
    service.remove()
