"""The three ways of the figure, as the sender goes them; each from what it has in memory to an answer it can use."""

from __future__ import annotations

import http.client
import itertools
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import grpc
import numpy as np

from experiments.loopback_model import SERVICE, UNLIMITED, write_request
from experiments.rivals.tfs_json import column_request
from protos.stubs.tensorflow_serving.apis.predict_pb2 import PredictResponse

JSON, PROTOBUF, OURS = "JSON", "protobuf", "ours"
_TIMEOUT_SECONDS = 120
_IDLE_SECONDS = 2


class Failed(Exception):
    """A server did not answer as it should."""


@dataclass(frozen=True)
class Passage:
    """One request: the milliseconds of its parts, and the bytes of its body and of the answer's."""

    encode: float
    trip: float
    decode: float
    sent: int
    received: int

    @property
    def milliseconds(self) -> float:
        """Return the time from end to end."""
        return self.encode + self.trip + self.decode


def passage(encode: Callable[[], bytes], trip: Callable[[bytes], bytes], decode: Callable[[bytes], object]) -> Passage:
    """Go one way and time its parts."""
    times = [time.perf_counter()]
    request = encode()
    times.append(time.perf_counter())
    answer = trip(request)
    times.append(time.perf_counter())
    decode(answer)
    times.append(time.perf_counter())
    encoded, travelled, decoded = ((after - before) * 1000 for before, after in itertools.pairwise(times))
    return Passage(encoded, travelled, decoded, sent=len(request), received=len(answer))


class HttpWay:
    """A connection to an HTTP server that is kept from request to request."""

    def __init__(self, address: str, media: str) -> None:
        host, _, port = address.rpartition(":")
        self._connection = http.client.HTTPConnection(host, int(port), timeout=_TIMEOUT_SECONDS)
        self._media = media
        self._used = -_IDLE_SECONDS

    def ready(self) -> None:
        """Connect, or connect again where the server may have given the idle connection up."""
        if time.monotonic() - self._used >= _IDLE_SECONDS:
            self._connection.close()
            self._connection.connect()

    def post(self, model: str, body: bytes) -> bytes:
        """Send a body.

        Raises:
            Failed: The answer is not a 200.
        """
        path = f"/v1/models/{model}:predict"
        self._connection.request("POST", path, body, {"content-type": self._media})
        response = self._connection.getresponse()
        answer = response.read()
        self._used = time.monotonic()
        if response.status != 200:
            raise Failed(f"{path}: {response.status} {answer[:300].decode(errors='replace')}")
        return answer


class Json:
    """The paper's JSON to the node's REST interface."""

    def __init__(self, address: str) -> None:
        self._http = HttpWay(address, "application/json")

    def go(self, model: str, arrays: Mapping[str, np.ndarray]) -> Passage:
        """Send arrays, and read the JSON of the answer."""
        self._http.ready()
        return passage(lambda: column_request(arrays), lambda body: self._http.post(model, body), json.loads)


class Protobuf:
    """The paper's protobuf straight to the node's gRPC interface, over one channel."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address, UNLIMITED)
        self._call = self._channel.unary_unary(f"/{SERVICE}/Predict")

    def go(self, model: str, arrays: Mapping[str, np.ndarray]) -> Passage:
        """Send arrays as raw tensors, and view the answer's tensors as arrays."""
        grpc.channel_ready_future(self._channel).result(timeout=_TIMEOUT_SECONDS)
        return passage(
            lambda: write_request(model, arrays),
            lambda request: self._call(request, timeout=_TIMEOUT_SECONDS),
            _read_tensors,
        )


class Proxied:
    """A picture's file or a text to the proxy."""

    def __init__(self, address: str, media: str) -> None:
        self._http = HttpWay(address, media)

    def go(self, model: str, body: bytes) -> Passage:
        """Send the body as it is, and read the JSON of what was found."""
        self._http.ready()
        return passage(lambda: body, lambda request: self._http.post(model, request), json.loads)


def _read_tensors(answer: bytes) -> list[np.ndarray]:
    tensors = PredictResponse.FromString(answer).outputs.values()
    return [np.frombuffer(tensor.tensor_content, np.float32) for tensor in tensors]
