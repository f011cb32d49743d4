"""Measure what joining the calls of several senders gains, and what it costs a single one.

    python -m experiments.batching [--rounds 5] [--seconds 4] [--model small] [--runtime tensorflow]

Makes MobileNetV1 with random weights in two sizes, serves it with the project's own model server, and asks through the
proxy's backend, as the proxy's pipeline does: one client for the median time, sixteen for the throughput. Batched and
unbatched take turns on the same server, so that whatever else the machine does meets both. What is learnt of a model is
kept between the turns, as in a proxy that runs; one turn before the first round is not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from experiments.process import free_port, started
from experiments.tables import Table
from proxy.backend.backend import Backend
from proxy.backend.call import PredictCall
from proxy.backend.context import CallContext
from proxy.backend.settings import BackendSettings, BatchingSettings
from proxy.deadline import Deadline
from proxy.errors import ProxyError
from proxy.telemetry.stages import Stages

CLIENTS = 16
SIZES: dict[str, tuple[float, int]] = {"small": (0.25, 128), "full": (1.0, 224)}
"""Width multiplier and side in pixels: MobileNetV1 of 14 and of 569 million multiplications."""
RUNTIMES = ("tensorflow", "openvino")
WAYS = {"unbatched": BatchingSettings(enabled=False), "batched": BatchingSettings()}


@dataclass
class Series:
    """What was measured of one way."""

    milliseconds: list[float] = field(default_factory=list)
    """Medians of a single client, one per round."""
    per_second: list[float] = field(default_factory=list)
    """Answers per second to all clients, one per round."""

    @property
    def median_milliseconds(self) -> float:
        """Return the median round's time."""
        return statistics.median(self.milliseconds)

    @property
    def median_per_second(self) -> float:
        """Return the median round's throughput."""
        return statistics.median(self.per_second)


def make_model(folder: Path, size: str) -> None:
    """Write a SavedModel, in a process of its own: TensorFlow's memory is not for who measures."""
    alpha, side = SIZES[size]
    code = (
        "import keras; "
        f"model = keras.applications.MobileNet(weights=None, alpha={alpha}, input_shape=({side}, {side}, 3)); "
        f"model.export({str(folder)!r}, format='tf_saved_model', verbose=False)"
    )
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
    maker = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    if maker.returncode:
        raise SystemExit(f"Keras made no model:\n{maker.stderr[-2000:]}")


async def ask(backend: Backend, call: PredictCall) -> None:
    """Send a call."""
    await backend.predict(call, CallContext(Deadline.after(60), "batching"), Stages())


async def first_answer(backend: Backend, side: int) -> PredictCall:
    """Wait until the model is loaded, and return a call for it."""
    async with asyncio.timeout(120):
        while True:
            try:
                description = await backend.service.describe(CallContext(Deadline.after(10), "batching"))
            except ProxyError:
                await asyncio.sleep(0.2)
            else:
                break
    name = next(iter(description.signatures["serving_default"].inputs))
    picture = np.random.default_rng(0).random((1, side, side, 3), np.float32)
    call = PredictCall(signature="serving_default", arrays={name: picture}, batched=frozenset({name}))
    await ask(backend, call)
    return call


async def single(backend: Backend, call: PredictCall, seconds: float) -> float:
    """Return the median milliseconds of one client."""
    times: list[float] = []
    until = time.perf_counter() + seconds
    while (begun := time.perf_counter()) < until:
        await ask(backend, call)
        times.append((time.perf_counter() - begun) * 1000)
    return statistics.median(times)


async def many(backend: Backend, call: PredictCall, seconds: float) -> float:
    """Return the answers per second to all clients."""
    answered = 0
    begun = time.perf_counter()

    async def client() -> None:
        nonlocal answered
        while time.perf_counter() < begun + seconds:
            await ask(backend, call)
            answered += 1

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return answered / (time.perf_counter() - begun)


async def measure(port: int, side: int, rounds: int, seconds: float) -> dict[str, Series]:
    """Let the ways take turns on one server."""
    target = f"127.0.0.1:{port}"
    backends = {name: Backend("model", target, BackendSettings(batching=way)) for name, way in WAYS.items()}
    series = {name: Series() for name in WAYS}
    try:
        for turn in range(rounds + 1):
            for name in list(WAYS) if turn % 2 else list(reversed(WAYS)):
                call = await first_answer(backends[name], side)
                milliseconds = await single(backends[name], call, seconds)
                per_second = await many(backends[name], call, seconds)
                if turn:
                    series[name].milliseconds.append(milliseconds)
                    series[name].per_second.append(per_second)
    finally:
        for backend in backends.values():
            await backend.close()
    return series


def row(size: str, runtime: str, series: dict[str, Series]) -> Sequence[object]:
    """Return the cells of one model on one runtime."""
    alone, joined = series["unbatched"], series["batched"]
    ratios = [after / before for before, after in zip(alone.per_second, joined.per_second, strict=True)]
    return (
        f"MobileNetV1 {SIZES[size][0]:g}, {SIZES[size][1]}",
        runtime,
        f"{alone.median_milliseconds:.1f}",
        f"{joined.median_milliseconds:.1f}",
        f"{100 * (joined.median_milliseconds / alone.median_milliseconds - 1):+.0f} %",
        f"{alone.median_per_second:.0f}",
        f"{joined.median_per_second:.0f}",
        f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
    )


def main() -> None:
    """Measure the models that are asked for, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m experiments.batching", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="turns of each way (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=4, help="of each measurement (default: %(default)s)")
    parser.add_argument("--model", choices=SIZES, action="append", help="one of the sizes; default: all")
    parser.add_argument("--runtime", choices=RUNTIMES, action="append", help="one of the runtimes; default: both")
    given = parser.parse_args()
    columns = ("model", "runtime", "1 client ms", "batched ms", "", f"{CLIENTS} clients /s", "batched /s", "ratio")
    table = Table("Joining the calls of several senders (medians of rounds; ratio: median, least, most)", columns)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kubevc-batching-")))
        for size in given.model or SIZES:
            make_model(folder / size / "1", size)
            for runtime in given.runtime or RUNTIMES:
                port = free_port()
                flags = (f"--port={port}", "--bind_address=127.0.0.1", "--model_name=model", f"--runtime={runtime}")
                command = [sys.executable, "-m", "modelserver", *flags, f"--model_base_path={folder / size}"]
                with started(command, stderr=subprocess.DEVNULL):
                    series = asyncio.run(measure(port, SIZES[size][1], given.rounds, given.seconds))
                table.add(*row(size, runtime, series))
                print(*table.rows[-1], sep="  ", flush=True)
    print(table.markdown())


if __name__ == "__main__":
    main()
