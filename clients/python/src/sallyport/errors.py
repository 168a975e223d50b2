"""Errors of calls. They speak of the calling service and of the surroundings; what happened to an end user is in an answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

_DETAILS = "grpc-status-details-bin"


@dataclass(frozen=True, slots=True)
class Violation:
    """One field of a request that was not accepted."""

    field: str
    """Its path in the request. Example: `password.identifier`."""
    description: str
    """What is accepted."""


class SallyportError(Exception):
    """A call has no answer. Treat it as a no."""

    def __init__(
        self,
        message: str,
        *,
        code: grpc.StatusCode = grpc.StatusCode.UNKNOWN,
        reason: str = "",
        retry_after: float | None = None,
        violations: tuple[Violation, ...] = (),
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        """The gRPC status."""
        self.reason = reason
        """A name of `ErrorReason` without its prefix; empty where the server did not answer. Example: `CALLER_NOT_PERMITTED`."""
        self.retry_after = retry_after
        """Seconds to wait before the next attempt, where the server said so."""
        self.violations = violations
        """What was wrong with the request, with InvalidRequest."""
        self.metadata = metadata or {}
        """The reason's own facts. Example: `{"rules": "min_length"}`."""


class Unavailable(SallyportError):
    """No answer is to be had now: not reached, too late, overloaded, draining, or too many calls. Try again later."""


class InvalidRequest(SallyportError):
    """The request is malformed; `violations` says where. Do not repeat it."""


class CallerRefused(SallyportError):
    """This service's own API key is not valid, or may not call this on this tenant."""


class NotFound(SallyportError):
    """What the call names is not there."""


class AlreadyExists(SallyportError):
    """What the call would make is there already, or its request_id was used for something else."""


class FailedPrecondition(SallyportError):
    """The state does not allow the call; nothing was written. `reason` says why."""


class InvalidToken(Exception):
    """An access token is not good here. `reason` is a `CREDENTIAL_` name of `DecisionReason`, for logs."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the access token is not good: {reason}")
        self.reason = reason


_KINDS: dict[grpc.StatusCode, type[SallyportError]] = {
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: Unavailable,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Unavailable,
    grpc.StatusCode.CANCELLED: Unavailable,
    grpc.StatusCode.ABORTED: Unavailable,
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequest,
    grpc.StatusCode.OUT_OF_RANGE: InvalidRequest,
    grpc.StatusCode.UNAUTHENTICATED: CallerRefused,
    grpc.StatusCode.PERMISSION_DENIED: CallerRefused,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExists,
    grpc.StatusCode.FAILED_PRECONDITION: FailedPrecondition,
}


def error_of(error: grpc.RpcError) -> SallyportError:
    """The error behind an RpcError of a generated stub, with what its status details say."""
    code = error.code() if hasattr(error, "code") else grpc.StatusCode.UNKNOWN
    message = (error.details() if hasattr(error, "details") else None) or code.name
    reason, retry_after, violations, metadata = "", None, list[Violation](), dict[str, str]()
    for detail in _details_of(error):
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            info = error_details_pb2.ErrorInfo()
            detail.Unpack(info)
            reason, metadata = info.reason, dict(info.metadata)
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            retry = error_details_pb2.RetryInfo()
            detail.Unpack(retry)
            retry_after = retry.retry_delay.ToTimedelta().total_seconds()
        elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            bad = error_details_pb2.BadRequest()
            detail.Unpack(bad)
            violations += [Violation(one.field, one.description) for one in bad.field_violations]
    kind = _KINDS.get(code, SallyportError)
    return kind(
        f"{code.name}: {message}",
        code=code,
        reason=reason,
        retry_after=retry_after,
        violations=tuple(violations),
        metadata=metadata,
    )


def _details_of(error: grpc.RpcError) -> list[any_pb2.Any]:
    # The types know only of the blocking API's metadata; asyncio's iterates over the same pairs.
    metadata: Any = error.trailing_metadata() if hasattr(error, "trailing_metadata") else None
    for key, value in metadata or ():
        if key == _DETAILS and isinstance(value, bytes):
            try:
                return list(status_pb2.Status.FromString(value).details)
            except DecodeError:
                return []
    return []
