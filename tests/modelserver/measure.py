"""Measure the server on the lab's models: `python -m tests.modelserver.measure [runtime]`.

Prints, per model: seconds from the start of the process to the first answer, resident memory then and after the
requests, and milliseconds per request over gRPC on loopback, one client and four.
"""

from __future__ import annotations

import os
import re
import statistics
import sys
import threading
import time
from pathlib import Path

import numpy as np

from tests.modelserver.running import Client, eventually, predict_request, running, spec_of

INPUTS = {"classifier": ("images", (1, 224, 224, 3)), "detector": ("input_1", (1, 3, 416, 416))}
REQUESTS = 60


def resident_mib(pid: int) -> tuple[int, int]:
    """Return resident and anonymous memory of a process in MiB."""
    status = (Path("/proc") / str(pid) / "status").read_text()
    return tuple(int(re.search(rf"{key}:\s+(\d+) kB", status)[1]) // 1024 for key in ("VmRSS", "RssAnon"))


def times(port: int, request, count: int) -> list[float]:
    """Ask `count` times over one connection; return milliseconds."""
    client = Client(port)
    client.prediction.Predict(request, timeout=60, wait_for_ready=True)
    taken = []
    for _ in range(count):
        started = time.perf_counter()
        client.prediction.Predict(request, timeout=60)
        taken.append((time.perf_counter() - started) * 1000)
    client.close()
    return taken


def together(port: int, request, clients: int) -> float:
    """Ask from several clients at once; return requests per second."""
    threads = [threading.Thread(target=times, args=(port, request, REQUESTS)) for _ in range(clients)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return clients * (REQUESTS + 1) / (time.perf_counter() - started)


def measure(model: str, folder: Path, runtime: str) -> str:
    """Measure one model; return a line for people."""
    name, shape = INPUTS[model]
    request = predict_request(spec_of(model), **{name: np.random.default_rng(1).random(shape, np.float32)})
    started = time.perf_counter()
    flags = (f"--model_name={model}", f"--model_base_path={folder / model}", f"--runtime={runtime}")
    with running(*flags) as (client, process):
        eventually(lambda: bool(client.available(model)), 120)
        ready = time.perf_counter() - started
        at_start = resident_mib(process.process.pid)
        port = process.port("gRPC")
        taken = times(port, request, REQUESTS)
        rate = together(port, request, 4)
        after = resident_mib(process.process.pid)
    return (
        f"{model:12s} {runtime:10s} ready {ready:.2f} s; "
        f"resident (anonymous) MiB at start {at_start[0]} ({at_start[1]}), "
        f"after {after[0]} ({after[1]}); ms min/median {min(taken):.1f}/{statistics.median(taken):.1f}; "
        f"4 clients {rate:.0f} requests/s"
    )


def main() -> None:
    """Measure every model that there is."""
    folder = Path(os.environ.get("KUBEVC_CACHE") or Path.home() / ".cache" / "kubevc") / "models"
    for runtime in sys.argv[1:] or ["openvino", "tensorflow"]:
        for model in INPUTS:
            print(measure(model, folder, runtime), flush=True)


if __name__ == "__main__":
    main()
