"""A server in a process of its own, and the questions that tests ask it."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from modelserver import tensors
from protos.stubs.tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc
from protos.stubs.tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest, ModelVersionStatus
from protos.stubs.tensorflow_serving.apis.model_management_pb2 import ReloadConfigRequest
from protos.stubs.tensorflow_serving.apis.model_pb2 import ModelSpec
from protos.stubs.tensorflow_serving.apis.predict_pb2 import PredictRequest
from protos.stubs.tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
AVAILABLE = ModelVersionStatus.AVAILABLE
END = ModelVersionStatus.END


def eventually(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until something holds; fail when it does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {seconds:g} s")
        time.sleep(0.02)


def spec_of(name: str, version: int | None = None, label: str = "", signature: str = "") -> ModelSpec:
    """Make a ModelSpec."""
    spec = ModelSpec(name=name, signature_name=signature)
    if version is not None:
        spec.version.value = version
    if label:
        spec.version_label = label
    return spec


def predict_request(spec: ModelSpec, output_filter: tuple[str, ...] = (), **inputs: Any) -> PredictRequest:
    """Make a PredictRequest with arrays as raw bytes."""
    request = PredictRequest(model_spec=spec, output_filter=output_filter)
    for name, value in inputs.items():
        tensors.to_proto(np.asarray(value), request.inputs[name])
    return request


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Client:
    """Both interfaces of a running server."""

    def __init__(self, grpc_port: int, rest_port: int = 0) -> None:
        """Connect to loopback."""
        self.channel = grpc.insecure_channel(f"127.0.0.1:{grpc_port}", options=UNLIMITED)
        self.prediction = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        self.model = model_service_pb2_grpc.ModelServiceStub(self.channel)
        self.grpc_port = grpc_port
        self.rest_port = rest_port

    def predict(self, spec: ModelSpec, *output_filter: str, **inputs: Any) -> dict[str, Any]:
        """Ask for a prediction; return the arrays."""
        request = predict_request(spec, output_filter, **inputs)
        response = self.prediction.Predict(request, timeout=60, wait_for_ready=True)
        return {name: tensors.from_proto(value) for name, value in response.outputs.items()}

    def states(self, name: str) -> dict[int, tuple[int, str]]:
        """Return state and error text by version; empty when nothing is known of the model."""
        request = GetModelStatusRequest(model_spec=ModelSpec(name=name))
        try:
            response = self.model.GetModelStatus(request, timeout=60, wait_for_ready=True)
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.NOT_FOUND
            return {}
        return {entry.version: (entry.state, entry.status.error_message) for entry in response.model_version_status}

    def available(self, name: str) -> set[int]:
        """Return the versions that answer."""
        return {version for version, (state, _) in self.states(name).items() if state == AVAILABLE}

    def reload(self, config: ModelServerConfig) -> None:
        """Send a new configuration."""
        self.model.HandleReloadConfigRequest(ReloadConfigRequest(config=config), timeout=60, wait_for_ready=True)

    def rest(self, path: str, document: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        """Ask over REST: GET, or POST when there is a document. Returns status and answer."""
        body = document if isinstance(document, bytes | None) else json.dumps(document).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.rest_port}{path}", body, headers or {})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, _decoded(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _decoded(error)

    def close(self) -> None:
        """Disconnect."""
        self.channel.close()


def _decoded(answer: Any) -> Any:
    data = answer.read()
    return json.loads(data) if answer.headers["Content-Type"] == "application/json" else data.decode()


def refused(call: Callable[[], Any]) -> tuple[str, str]:
    """Return code and text of the error that a gRPC call ends with."""
    try:
        call()
    except grpc.RpcError as error:
        return error.code().name, error.details()
    raise AssertionError("the call was answered")


class Process:
    """A server started from its command line. Its log is read as it comes."""

    def __init__(self, *flags: str) -> None:
        """Start it."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "modelserver", "--bind_address=127.0.0.1", *flags],
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).resolve().parents[2],
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.lines.extend(line.rstrip() for line in self.process.stderr)

    def port(self, interface: str) -> int:
        """Return the port that the log names for "gRPC" or "REST"."""
        pattern = re.compile(rf" I {interface} at .*:(\d+)$")
        eventually(lambda: self._ended() or any(pattern.search(line) for line in self.lines), 120)
        found = [match for match in map(pattern.search, self.lines) if match]
        assert found, f"the server ended: {self.lines}"
        return int(found[0][1])

    def _ended(self) -> bool:
        return self.process.poll() is not None

    def end(self, signal_number: int = signal.SIGTERM, seconds: float = 30) -> int:
        """Send a signal and return the exit status."""
        if not self._ended():
            self.process.send_signal(signal_number)
        try:
            status = self.process.wait(seconds)
        finally:
            self.process.kill()
            self._reader.join()
            assert self.process.stderr is not None
            self.process.stderr.close()
        return status


@contextmanager
def running(*flags: str, rest: bool = False) -> Iterator[tuple[Client, Process]]:
    """Run a server on free ports; give a client of it and its process."""
    process = Process("--port=0", *([f"--rest_api_port={free_port()}"] if rest else []), *flags)
    client = Client(process.port("gRPC"), process.port("REST") if rest else 0)
    try:
        yield client, process
    finally:
        client.close()
        process.end()
