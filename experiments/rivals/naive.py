"""The naive proxy as a process of its own, and its sender."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from experiments.process import free_port, started, wait_for_port


@dataclass(frozen=True)
class NaiveAnswer:
    """One request: its round trip, the times that the naive proxy tells, and the answer's bytes."""

    milliseconds: float
    codec_milliseconds: float
    """Reading JSON, writing the message, reading the answer, writing JSON."""
    model_milliseconds: float
    body: bytes

    @property
    def own_milliseconds(self) -> float:
        """Return the round trip without the call to the model server."""
        return self.milliseconds - self.model_milliseconds


def named_request(inputs: Mapping[str, np.ndarray]) -> bytes:
    """Return inputs by their names as Python writes them."""
    return json.dumps({"inputs": {name: array.tolist() for name, array in inputs.items()}}).encode()


class NaiveProxy:
    """A naive proxy that listens."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def post(self, model: str, body: bytes) -> NaiveAnswer:
        """Send JSON numbers."""
        start = time.perf_counter()
        self._connection.request("POST", f"/v1/models/{model}:predict", body, {"content-type": "application/json"})
        response = self._connection.getresponse()
        answer = response.read()
        milliseconds = (time.perf_counter() - start) * 1000
        if response.status != 200:
            raise RuntimeError(f"the naive proxy answered {response.status}")
        codec, model = (float(response.headers[f"x-{name}-milliseconds"]) for name in ("codec", "model"))
        return NaiveAnswer(milliseconds, codec, model, answer)


@contextmanager
def naive_proxy(target: str) -> Iterator[NaiveProxy]:
    """Run the naive proxy in front of a model server; importing TensorFlow takes it some seconds."""
    port = free_port()
    command = [sys.executable, "-m", "experiments.rivals.naive_proxy", "--port", str(port), "--target", target]
    # TensorFlow greets on standard error; the command that NotStarted names shows what is wrong.
    with started(command, stderr=subprocess.DEVNULL) as process:
        wait_for_port(process, port)
        yield NaiveProxy(port)
