"""The proxy as a process of its own, as a pod runs it."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

ROOT = Path(__file__).resolve().parents[2]
_RUNNING_ON = re.compile(r"running on (http://[\d.]+:\d+)")


@dataclass
class RunningProxy:
    """Hold a proxy's process and address."""

    process: subprocess.Popen[bytes]
    url: str = ""
    lines: list[dict[str, Any]] = field(default_factory=list)
    start_seconds: float = 0.0

    def post(self, model: str, **content: Any) -> httpx.Response:
        """Send a predict request."""
        return httpx.post(f"{self.url}/v1/models/{model}:predict", timeout=30, **content)

    def get(self, path: str) -> httpx.Response:
        """Read a path."""
        return httpx.get(f"{self.url}{path}", timeout=30)

    def read_log(self, seconds: float = 0.2) -> list[dict[str, Any]]:
        """Return all lines of the log, waiting a moment for new ones."""
        while self.read_line(seconds):
            pass
        return self.lines

    def read_line(self, seconds: float) -> bool:
        """Read one line of the log, if one comes in time."""
        assert self.process.stdout is not None
        came = bool(select.select([self.process.stdout], [], [], seconds)[0])
        line = self.process.stdout.readline() if came else b""
        if line:
            self.lines.append(json.loads(line))
        return bool(line)


@contextmanager
def running(folder: Path, config: dict[str, Any]) -> Iterator[RunningProxy]:
    """Run a proxy on a free port of loopback."""
    path = folder / "proxy.yaml"
    path.write_text(yaml.safe_dump({"listen": {"address": "127.0.0.1", "port-number": 0}, **config}))
    start = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "proxy", "--config", str(path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        bufsize=0,
    )
    proxy = RunningProxy(process)
    try:
        _wait_for_address(proxy)
        proxy.start_seconds = time.monotonic() - start
        yield proxy
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        finally:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def _wait_for_address(proxy: RunningProxy) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until and proxy.process.poll() is None:
        if proxy.read_line(1) and (match := _RUNNING_ON.search(proxy.lines[-1]["event"])):
            proxy.url = match[1]
            return
    raise AssertionError(f"the proxy did not start: {proxy.lines}")
