"""Failures: what gRPC says of a call that failed, as the proxy's errors."""

from __future__ import annotations

import grpc
import grpc.aio

from proxy.errors import BackendError

# The statuses are those of TensorFlow Serving's REST API (tensorflow_serving/model_servers/http_server.cc).
HTTP_STATUS: dict[grpc.StatusCode, int] = {
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.UNKNOWN: 500,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.INTERNAL: 500,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DATA_LOSS: 500,
}

_RETRY = ("The server does not answer now", "Try again in a second; if it lasts, look at the model's pod and its log")
_REASONS: dict[int, tuple[str, str]] = {
    400: ("The model server does not take these tensors", "Compare them with GET /v1/models/<model>/metadata"),
    404: ("The model server has no such model or version", "Look at GET /v1/models/<model>; it may still be loading"),
    429: ("The model server has no room for more requests", "Try again in a second, or add replicas"),
    503: _RETRY,
    504: ("The request's time is up", "Try again later, or allow more time (deadline-seconds, X-Request-Timeout)"),
}
_OTHER_REASON = ("The model server failed on this request", "Look at the model server's log under the request id")


class NoAddress(Exception):
    """No address is known for any name of a target; the text says what the resolver said."""


def call_failed(model: str, error: grpc.aio.AioRpcError) -> BackendError:
    """Say that a server answered an error, could not be reached, or not in time."""
    details = (error.details() or "no details")[:1000].rstrip(".")
    return _backend_error(model, HTTP_STATUS[error.code()], f"{error.code().name}: {details}")


def no_address(model: str, error: NoAddress) -> BackendError:
    """Say that the model's target leads nowhere."""
    return _backend_error(model, 503, f"UNAVAILABLE: {error}")


def _backend_error(model: str, status: int, found: str) -> BackendError:
    reason, remedy = _REASONS.get(status, _OTHER_REASON)
    return BackendError(
        status,
        where=f"model server of {model!r}",
        found=found,
        reason=reason,
        remedy=remedy.replace("<model>", model),
    )
