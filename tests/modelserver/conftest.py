"""Small models made once, and servers over them."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from protos.build import build_if_stale

build_if_stale()

from google.protobuf import text_format  # noqa: E402

from modelserver.flags import Options  # noqa: E402
from modelserver.server import ModelServer  # noqa: E402
from protos.stubs.tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig  # noqa: E402
from tests.modelserver.running import AVAILABLE, END, Client, eventually, running  # noqa: E402

RUNTIMES = ("openvino", "tensorflow")
MODELS = ("add", "many", "classes", "text", "slow", "big")


@pytest.fixture(scope="session")
def models(pytestconfig: pytest.Config) -> Path:
    """The folder with the small models. TensorFlow writes them in a process of its own, once per form of its script."""
    maker = Path(__file__).with_name("make_models.py")
    digest = hashlib.sha256(maker.read_bytes()).hexdigest()[:16]
    folder = pytestconfig.cache.mkdir("small-models") / digest
    if not folder.exists():
        aside = folder.with_name(f"{digest}.{os.getpid()}")
        subprocess.run([sys.executable, str(maker), str(aside)], check=True, timeout=240, capture_output=True)
        aside.rename(folder)
    return folder


@pytest.fixture(scope="session")
def real_models() -> Path:
    """The folder with the lab's detector and classifier, when the toolchain has made them."""
    cache = os.environ.get("KUBEVC_CACHE") or Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "kubevc"
    folder = Path(cache) / "models"
    if not all((folder / name / "1" / "saved_model.pb").exists() for name in ("detector", "classifier")):
        pytest.skip(f"no detector and classifier in {folder}: run `python -m toolchain setup --lab`")
    return folder


@pytest.fixture(scope="session", params=RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> str:
    """Each runtime in turn."""
    return request.param


@pytest.fixture(scope="session")
def client(runtime: str, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of a server with all small models, every version of `add`, and a label."""
    entries = "".join(
        f'config {{ name: "{name}" base_path: "{models / name}" model_platform: "tensorflow"'
        " model_version_policy { all {} }"
        + (' version_labels { key: "stable" value: 1 }' if name == "add" else "")
        + " }\n"
        for name in MODELS
    )
    file = tmp_path_factory.mktemp(runtime) / "models.config"
    file.write_text(f"model_config_list {{ {entries} }}")
    with running(f"--model_config_file={file}", f"--runtime={runtime}", rest=True) as (client, _):
        eventually(lambda: all(client.states(name) for name in MODELS), 120)
        eventually(
            lambda: all(state in (AVAILABLE, END) for name in MODELS for state, _ in client.states(name).values()), 120
        )
        yield client


Start = Callable[..., tuple[ModelServer, Client]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start servers in this process; they are stopped when the test ends."""
    servers: list[tuple[ModelServer, Client]] = []

    def begin(**options: object) -> tuple[ModelServer, Client]:
        defaults: dict[str, object] = {
            "grpc_port": 0,
            "rest_port": 0,
            "bind_address": "127.0.0.1",
            "file_system_poll_seconds": 0.05,
            "rest_threads": 4,
        }
        server = ModelServer(Options(**(defaults | options)))  # type: ignore[arg-type]
        server.start()
        servers.append((server, Client(server.grpc_port, server.rest_port)))
        return servers[-1]

    yield begin
    for server, client in servers:
        client.close()
        server.stop(5)


def config_of(*entries: str) -> ModelServerConfig:
    """Make a configuration from the text form of its entries."""
    text = "".join(f'config {{ model_platform: "tensorflow" {entry} }}' for entry in entries)
    return text_format.Parse(f"model_config_list {{ {text} }}", ModelServerConfig())
