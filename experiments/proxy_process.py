"""The proxy as a process of its own, as a pod runs it, with its log read line by line."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from experiments.process import CHECKOUT, read_line, started

_RUNNING_ON = re.compile(r"running on http://[\d.]+:(\d+)")

_IDLE_SECONDS = 2
# The proxy's image holds compiled sources; here the first start compiles them, whatever the machine's own settings are.
_COMPILED = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(CHECKOUT / ".state" / "bytecode")}


class Refused(Exception):
    """The proxy answered something else than 200."""


@dataclass(frozen=True)
class Answered:
    """One request: its round trip as the sender sees it, its answer, and what the proxy's log says of it."""

    milliseconds: float
    body: bytes
    log: dict[str, Any]

    @property
    def stages(self) -> dict[str, float]:
        """Return the milliseconds of each stage."""
        return self.log["stages"]

    @property
    def own_milliseconds(self) -> float:
        """Return the round trip without the call to the model server: HTTP, waiting and all stages of the proxy."""
        return self.milliseconds - self.stages.get("wire", 0.0) - self.stages["model"]


class RunningProxy:
    """A proxy that listens."""

    def __init__(self, process: subprocess.Popen[bytes], start: float) -> None:
        self._process = process
        self.pid = process.pid
        self.port = self._wait_for_port()
        self.start_seconds = time.monotonic() - start
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self._used = time.monotonic()

    def post(self, model: str, body: bytes, headers: Mapping[str, str], query: str = "") -> Answered:
        """Send a predict request over the one connection that is kept.

        Raises:
            Refused: It was not answered with 200.
        """
        path = f"/v1/models/{model}:predict{query and '?' + query}"
        self._reconnect_if_idle()
        start = time.perf_counter()
        self._connection.request("POST", path, body, dict(headers))
        response = self._connection.getresponse()
        answer = response.read()
        milliseconds = (time.perf_counter() - start) * 1000
        # Read in any case: a pipe that nobody empties would stop the proxy's log and with it the proxy.
        log = self._next_request()
        if response.status != 200:
            raise Refused(f"the proxy answered {response.status} to {path}: {answer[:500].decode(errors='replace')}")
        return Answered(milliseconds, answer, log)

    def _reconnect_if_idle(self) -> None:
        """Open a new connection before the proxy closes one that other measurements kept waiting."""
        now = time.monotonic()
        if now - self._used > _IDLE_SECONDS:
            self._connection.close()
            self._connection.connect()
        self._used = now

    def _next_request(self) -> dict[str, Any]:
        while True:
            line = json.loads(read_line(self._process))
            if "stages" in line:
                return line

    def _wait_for_port(self) -> int:
        while True:
            if match := _RUNNING_ON.search(json.loads(read_line(self._process))["event"]):
                return int(match[1])


@contextmanager
def running_proxy(
    folder: Path, models: list[dict[str, Any]], *, limits: Mapping[str, Any] | None = None, deadline_seconds: float = 60
) -> Iterator[RunningProxy]:
    """Run a proxy on a free port of loopback.

    Args:
        folder: Where its configuration is written; the models' cards are relative to it.
        models: The section `models` of the configuration.
        limits: The section `limits`; bodies may have 256 MiB otherwise.
        deadline_seconds: Of a request.
    """
    config = {
        "listen": {"address": "127.0.0.1", "port-number": 0},
        "limits": {"max-body-mib": 256, **(limits or {})},
        "deadline-seconds": deadline_seconds,
        "models": models,
    }
    path = folder / "proxy.yaml"
    path.write_text(yaml.safe_dump(config))
    start = time.monotonic()
    command = [sys.executable, "-m", "proxy", "--config", str(path)]
    with started(command, stdout=subprocess.PIPE, env={**os.environ, **_COMPILED}) as process:
        yield RunningProxy(process, start)
