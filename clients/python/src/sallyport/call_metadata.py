"""What every call carries besides its request: the key of this service, a deadline, and an id where a repeat is known by one."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar
from uuid import uuid4

import grpc

from sallyport.settings import Settings

Request = TypeVar("Request")

# These stay open by design, or take as long as there are rows.
_STREAMS = ("Watch", "Export", "Import")
_WITH_REQUEST_ID = frozenset({"CreateUser", "IssueTokens", "WriteGrants"})


class CallDetails(NamedTuple):
    """grpc.ClientCallDetails is a class without a constructor; gRPC reads these attributes."""

    method: str
    timeout: float | None
    metadata: tuple[tuple[str, str | bytes], ...] | None
    credentials: grpc.CallCredentials | None
    wait_for_ready: bool | None
    compression: grpc.Compression | None


def with_metadata(details: Any, settings: Settings) -> CallDetails:
    """Adds the key, unless the call brings one, and the default timeout, unless it brings one or is a stream."""
    metadata = tuple(details.metadata or ())
    if settings.api_key and not any(name == "authorization" for name, _ in metadata):
        metadata = (*metadata, ("authorization", f"Bearer {settings.api_key}"))
    timeout = details.timeout
    if timeout is None and not method_of(details).startswith(_STREAMS):
        timeout = settings.timeout
    wait_for_ready = getattr(details, "wait_for_ready", None)
    compression = getattr(details, "compression", None)
    return CallDetails(details.method, timeout, metadata, details.credentials, wait_for_ready, compression)


def with_request_id(details: Any, request: Request) -> Request:
    """The request with a `request_id` of its own where gRPC may repeat it (channel_options.py) and the caller gave none."""
    if method_of(details) not in _WITH_REQUEST_ID or getattr(request, "request_id", "given") != "":
        return request
    copy: Any = type(request)()
    copy.CopyFrom(request)
    copy.request_id = str(uuid4())
    return copy  # type: ignore[no-any-return]


def method_of(details: Any) -> str:
    """The name alone; gRPC's path is text in one API and bytes in the other."""
    path = details.method.decode() if isinstance(details.method, bytes) else details.method
    return str(path).rpartition("/")[2]


class CallMetadata(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """For the blocking API."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def intercept_unary_unary(self, proceed: Callable[..., Any], details: Any, request: Any) -> Any:
        return proceed(with_metadata(details, self._settings), with_request_id(details, request))

    def intercept_unary_stream(self, proceed: Callable[..., Any], details: Any, request: Any) -> Any:
        return proceed(with_metadata(details, self._settings), request)

    def intercept_stream_unary(self, proceed: Callable[..., Any], details: Any, requests: Iterator[Any]) -> Any:
        return proceed(with_metadata(details, self._settings), requests)

    def intercept_stream_stream(self, proceed: Callable[..., Any], details: Any, requests: Iterator[Any]) -> Any:
        return proceed(with_metadata(details, self._settings), requests)
