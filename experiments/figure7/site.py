"""The site of the figure: model server and JSON interface on the node, the proxy on the endpoint."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from experiments.figure7.network import ENDPOINT, NODE, LimitedNetwork
from experiments.process import NotStarted, started

GRPC_PORT, REST_PORT, JSON_PORT, PROXY_PORT = 8500, 8501, 8502, 8080
_PATIENCE_SECONDS = 600


@dataclass(frozen=True)
class Site:
    """The addresses of what runs."""

    json: str
    protobuf: str
    ours: str


@contextmanager
def running_site(network: LimitedNetwork, models: Mapping[str, Path], runtime: str, folder: Path) -> Iterator[Site]:
    """Start everything, and wait until all models are served.

    Args:
        network: The hosts.
        models: Per name the folder with the version folders, the card and what belongs to it.
        runtime: The model server's.
        folder: Where configurations and logs are written.

    Raises:
        NotStarted: A program ended, or a model was not served in time; the logs are in the folder.
    """
    node, endpoint = str(network.address(NODE)), str(network.address(ENDPOINT))
    with ExitStack() as stack:
        for name, host, command in _programs(models, node, runtime, folder):
            log = stack.enter_context((folder / f"{name}.log").open("wb"))
            process = stack.enter_context(
                started(command, prefix=network.on(host), stdout=log, stderr=subprocess.STDOUT)
            )
            _wait(process, _ready_urls(name, node, endpoint, models), folder / f"{name}.log")
        yield Site(f"{node}:{JSON_PORT}", f"{node}:{GRPC_PORT}", f"{endpoint}:{PROXY_PORT}")


def _programs(
    models: Mapping[str, Path], node: str, runtime: str, folder: Path
) -> Iterator[tuple[str, str, list[str]]]:
    """Yield name, host and command of each program."""
    python = [sys.executable, "-m"]
    served, proxied = _write_models(models, folder), _write_proxy(models, node, folder)
    ports = [f"--port={GRPC_PORT}", f"--rest_api_port={REST_PORT}"]
    yield "modelserver", NODE, [*python, "modelserver", *ports, f"--model_config_file={served}", f"--runtime={runtime}"]
    json_ports = ["--port", str(JSON_PORT), "--upstream", f"127.0.0.1:{REST_PORT}"]
    yield "json", NODE, [*python, "experiments.rivals.tfs_rest", "--address", "0.0.0.0", *json_ports]
    yield "proxy", ENDPOINT, [*python, "proxy", "--config", str(proxied)]


def _write_models(models: Mapping[str, Path], folder: Path) -> Path:
    """Write the model server's configuration, a ModelServerConfig as text."""
    entries = [
        f'config {{ name: "{name}" base_path: "{path}" model_platform: "tensorflow" }}' for name, path in models.items()
    ]
    config = folder / "models.config"
    config.write_text("model_config_list {\n" + "\n".join(entries) + "\n}\n")
    return config


def _write_proxy(models: Mapping[str, Path], node: str, folder: Path) -> Path:
    entries = [
        {"name": name, "target": f"{node}:{GRPC_PORT}", "card": str(path / "model.yaml")}
        for name, path in models.items()
    ]
    listen = {"address": "0.0.0.0", "port-number": PROXY_PORT}
    config = folder / "proxy.yaml"
    config.write_text(yaml.safe_dump({"listen": listen, "deadline-seconds": 60, "models": entries}))
    return config


def _ready_urls(program: str, node: str, endpoint: str, models: Mapping[str, Path]) -> list[str]:
    if program == "proxy":
        return [f"http://{endpoint}:{PROXY_PORT}/healthz"]
    port = REST_PORT if program == "modelserver" else JSON_PORT
    return [f"http://{node}:{port}/v1/models/{name}" for name in models]


def _wait(process: subprocess.Popen[bytes], urls: list[str], log: Path) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    for url in urls:
        while not _is_ready(url):
            if process.poll() is not None or time.monotonic() > until:
                said = log.read_text(errors="replace")[-2000:]
                raise NotStarted(f"{url}: not ready; the program's status is {process.poll()}, and it said:\n{said}")
            time.sleep(0.2)


def _is_ready(url: str) -> bool:
    """Say whether a page answers, and, if it is a model's, that one of its versions is available."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            document = json.load(response)
    except (urllib.error.URLError, OSError):
        return False
    states = [version["state"] for version in document.get("model_version_status", [])]
    return "AVAILABLE" in states or "model_version_status" not in document
