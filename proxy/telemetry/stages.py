"""Stages: how long each step of one request took."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal

Stage = Literal["decode", "preprocess", "encode", "model", "decode-answer", "postprocess"]


class Stages:
    """Collect the seconds of each stage of one request."""

    def __init__(self) -> None:
        self.seconds: dict[Stage, float] = {}

    @contextmanager
    def time(self, stage: Stage) -> Generator[None]:
        """Measure what happens inside; a stage that fails is measured as well."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start
