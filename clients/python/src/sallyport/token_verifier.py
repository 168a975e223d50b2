"""Verifies access tokens in this process, without a call for each: keys from GetJwks, revocations by WatchRevocations."""

import logging
import random
import threading
import time
from collections.abc import Iterator

import grpc
import jwt

from sallyport import operations
from sallyport.client import Client
from sallyport.errors import SallyportError, Unavailable, error_of
from sallyport.key_set import KeySet
from sallyport.outcomes import TokenClaims
from sallyport.per_process import PerProcess
from sallyport.revocation_set import RevocationSet, UnknownRevocation
from sallyport.token_check import Expected, check_token, key_id_of
from sallyport.v1 import token_pb2, token_pb2_grpc

MAX_REVOCATION_AGE = 30.0
"""Seconds for which tokens are judged by what is known of revocations. The server says at least every 15 s that nothing is missing."""
LEEWAY = 5.0
"""Seconds by which clocks may differ."""
FIRST_RETRY, LAST_RETRY = 0.1, 5.0

log = logging.getLogger("sallyport")


class TokenVerifier:
    """Safe for threads. Each process follows revocations in a daemon thread of its own, from its first `verify` on.

    It says who presents a token, and nothing about what they may do: for that, give the token to `Client.authorize`.
    """

    def __init__(
        self, client: Client, *, max_revocation_age: float = MAX_REVOCATION_AGE, leeway: float = LEEWAY
    ) -> None:
        """Times are in seconds. Raises SettingsError when the client's settings have no issuer or no audience."""
        self._client = client
        self._expected = Expected.of(client.settings, leeway)
        self._max_age = max_revocation_age
        self._following = PerProcess(lambda: _Following(client))

    def verify(self, token: str) -> TokenClaims:
        """What a good token says. Raises InvalidToken for any other, and Unavailable when the keys cannot be fetched or nothing was
        heard of revocations for too long: then it is not known whether the token is good. The first call waits for the snapshot of
        what is revoked, at most the timeout of the settings.
        """
        key_id = key_id_of(token)
        give_up_at = time.monotonic() + self._client.settings.timeout
        following = self._following.get()
        key = following.key(key_id)
        following.wait_until_known(give_up_at - time.monotonic())
        if following.revocations.age(time.monotonic()) > self._max_age:
            raise Unavailable("nothing was heard of revocations for too long", code=grpc.StatusCode.UNAVAILABLE)
        return check_token(token, key, self._expected, following.revocations)

    def close(self) -> None:
        """Stops following. The client stays open."""
        following = self._following.take()
        if following is not None:
            following.stop()


class _Following:
    """What one process knows, and the thread that learns it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.revocations = RevocationSet()
        self._keys = KeySet()
        self._fetching = threading.Lock()
        self._known = threading.Event()
        self._stopped = threading.Event()
        self._stream: grpc.Call | None = None
        self._thread = threading.Thread(target=self._follow, name="sallyport-revocations", daemon=True)
        self._thread.start()

    def key(self, key_id: str) -> jwt.PyJWK | None:
        """Fetches the keys when it must; one thread fetches, the others wait for it."""
        if self._keys.must_fetch(key_id, time.monotonic()):
            with self._fetching:
                now = time.monotonic()
                if self._keys.must_fetch(key_id, now):
                    response = self._client.perform(operations.get_jwks(self._client.settings.tenant))
                    self._keys.replace(response.keys, now)
        return self._keys.key(key_id, time.monotonic())

    def wait_until_known(self, timeout: float) -> None:
        self._known.wait(timeout)

    def stop(self) -> None:
        self._stopped.set()
        stream = self._stream
        if stream is not None:
            stream.cancel()
        self._thread.join(timeout=5)

    def _follow(self) -> None:
        wait = FIRST_RETRY
        while not self._stopped.is_set():
            try:
                for response in self._responses():
                    wait = FIRST_RETRY
                    if self.revocations.take(response, time.monotonic()):
                        self._keys.outdate()
                    if response.HasField("heartbeat"):
                        self._known.set()
            except grpc.RpcError as error:
                self._log(error_of(error))
            except UnknownRevocation:
                log.error("revocations of a kind that this version does not know: update sallyport-client")
                return
            # Full jitter, so that the processes of a service do not come back at the same moment.
            self._stopped.wait(random.uniform(0, wait))  # noqa: S311
            wait = min(2 * wait, LAST_RETRY)

    def _responses(self) -> Iterator[token_pb2.WatchRevocationsResponse]:
        # No deadline: it is meant to stay open. A peer that is gone without a word is noticed by the channel's keepalive.
        request = token_pb2.WatchRevocationsRequest(
            tenant=self._client.settings.tenant, position=self.revocations.position
        )
        stream = self._client.stub(token_pb2_grpc.TokenServiceStub).WatchRevocations(request)
        self._stream = stream
        if self._stopped.is_set():
            stream.cancel()
        yield from stream

    def _log(self, error: SallyportError) -> None:
        if not self._stopped.is_set():
            log.warning("following revocations: %s; trying again", error)
