"""The channel to a model server: serialised messages out and in, gRPC's errors as the proxy's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio

from proxy.deadline import Deadline
from proxy.errors import BackendError

PREDICT = "/tensorflow.serving.PredictionService/Predict"
GET_METADATA = "/tensorflow.serving.PredictionService/GetModelMetadata"
GET_STATUS = "/tensorflow.serving.ModelService/GetModelStatus"

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

_OPTIONS: list[tuple[str, Any]] = [
    # gRPC's default of 4 MB is less than one 640 x 640 picture in float32.
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # A name with several addresses (a headless Service) has its calls spread over all of them.
    ("grpc.service_config", json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})),
    # A model server that restarts is found again within about a second, not after gRPC's two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.dns_min_time_between_resolutions_ms", 1000),
    # A node that lost its power sends no goodbye; without these pings calls would wait on the dead connection.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    # The proxy is inside the cluster; a proxy of the environment must never be asked for a pod's address.
    ("grpc.enable_http_proxy", 0),
]

_RETRY = ("The server does not answer now", "Try again in a second; if it lasts, look at the model's pod and its log")
_REASONS: dict[int, tuple[str, str]] = {
    400: ("The model server does not take these tensors", "Compare them with GET /v1/models/<model>/metadata"),
    404: ("The model server has no such model or version", "Look at GET /v1/models/<model>; it may still be loading"),
    429: ("The model server has no room for more requests", "Try again in a second, or add replicas"),
    503: _RETRY,
    504: ("The request's time is up", "Try again later, or allow more time (deadline-seconds, X-Request-Timeout)"),
}
_OTHER_REASON = ("The model server failed on this request", "Look at the model server's log under the request id")


@dataclass(frozen=True, slots=True)
class CallContext:
    """Hold what goes along with a call: its deadline and the id under which logs show it."""

    deadline: Deadline
    request_id: str


class ModelChannel:
    """Speak to the server of one model.

    Messages go in and come out serialised, so that the work of building and reading them can be done off the event
    loop. A call fails at once while the server cannot be connected to; it waits, within its deadline, only for a
    connection that is being made.
    """

    def __init__(self, model: str, target: str) -> None:
        self._model = model
        self._channel = grpc.aio.insecure_channel(target, options=_OPTIONS)

    async def call(self, method: str, request: bytes, context: CallContext) -> bytes:
        """Call a method, one of the constants of this file.

        Raises:
            BackendError: The server answered an error, could not be reached, or not in time.
        """
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(method)
        metadata = grpc.aio.Metadata(("x-request-id", context.request_id))
        try:
            return await call(request, timeout=context.deadline.remaining, metadata=metadata, wait_for_ready=False)
        except grpc.aio.AioRpcError as error:
            raise self._translated(error) from error

    async def close(self) -> None:
        """Close the connection, cancelling what is still under way."""
        await self._channel.close()

    def _translated(self, error: grpc.aio.AioRpcError) -> BackendError:
        status = HTTP_STATUS[error.code()]
        reason, remedy = _REASONS.get(status, _OTHER_REASON)
        return BackendError(
            status,
            where=f"model server of {self._model!r}",
            found=f"{error.code().name}: {(error.details() or 'no details')[:1000].rstrip('.')}",
            reason=reason,
            remedy=remedy.replace("<model>", self._model),
        )
