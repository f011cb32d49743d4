"""The proxy as a process of its own, as a pod runs it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import httpx
import yaml

ROOT = Path(__file__).resolve().parents[2]
_RUNNING_ON = re.compile(r"running on (https?://[\d.]+:\d+)")


@dataclass
class RunningProxy:
    """Hold a proxy's process and address."""

    process: subprocess.Popen[bytes]
    log: BinaryIO
    url: str = ""
    start_seconds: float = 0.0

    def post(self, model: str, **content: Any) -> httpx.Response:
        """Send a predict request; `model` may have a verb and a query behind it."""
        path = model if ":" in model else f"{model}:predict"
        return httpx.post(f"{self.url}/v1/models/{path}", timeout=30, **content)

    def get(self, path: str) -> httpx.Response:
        """Read a path."""
        return httpx.get(f"{self.url}{path}", timeout=30)

    def read_log(self) -> list[dict[str, Any]]:
        """Return all whole lines of the log."""
        self.log.seek(0)
        return [json.loads(line) for line in self.log.readlines() if line.endswith(b"\n")]


@contextmanager
def running(folder: Path, config: dict[str, Any]) -> Iterator[RunningProxy]:
    """Run a proxy on a free port of loopback."""
    path = folder / "proxy.yaml"
    path.write_text(yaml.safe_dump({"listen": {"address": "127.0.0.1", "port-number": 0}, **config}))
    start = time.monotonic()
    with (folder / "proxy.log").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "proxy", "--config", str(path)],
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdout=output,
        )
    proxy = RunningProxy(process, (folder / "proxy.log").open("rb"))
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
            proxy.log.close()


def _wait_for_address(proxy: RunningProxy) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until and proxy.process.poll() is None:
        for line in proxy.read_log():
            if match := _RUNNING_ON.search(line["event"]):
                proxy.url = match[1]
                return
        time.sleep(0.02)
    raise AssertionError(f"the proxy did not start: {proxy.read_log()}")
