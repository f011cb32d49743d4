"""Stages: when each step of one request began and how long it took."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

Stage = Literal[
    "fetch", "decode", "preprocess", "queue", "encode", "wire", "model", "decode-answer", "postprocess", "write"
]

_MAX_KEPT = 256
"""A stream passes the same stages for every frame, without an end; its later spans only add to the sums."""


@dataclass(frozen=True, slots=True)
class StageSpan:
    """Hold one passage of a stage, in seconds of `time.perf_counter`."""

    stage: Stage
    start: float
    end: float


class Stages:
    """Collect the times of each stage of one request; its threads may add at once."""

    def __init__(self) -> None:
        self.seconds: dict[Stage, float] = {}
        self.spans: list[StageSpan] = []
        self._lock = threading.Lock()

    @contextmanager
    def time(self, stage: Stage) -> Generator[None]:
        """Measure what happens inside; a stage that fails is measured as well."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, start, time.perf_counter())

    def add(self, stage: Stage, start: float, end: float) -> None:
        """Note a passage that was measured elsewhere, such as within the call of a batch."""
        with self._lock:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + end - start
            if len(self.spans) < _MAX_KEPT:
                self.spans.append(StageSpan(stage, start, end))


def server_timing(seconds: Iterable[tuple[str, float]]) -> str:
    """Return the header Server-Timing for stages and their seconds; browsers and the demo page show it.

    The form is that of https://www.w3.org/TR/server-timing/: names and durations in milliseconds.
    """
    return ", ".join(f"{stage};dur={duration * 1000:.3f}" for stage, duration in seconds)
