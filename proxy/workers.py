"""Workers: the threads for the steps that take a core."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import cv2

T = TypeVar("T")


class Workers:
    """Run the steps that take a core, as many at once as there are cores."""

    def __init__(self) -> None:
        # The pool is the only parallelism; OpenCV's own threads on top would only take turns with it.
        cv2.setNumThreads(1)
        self._pool = ThreadPoolExecutor(len(os.sched_getaffinity(0)), thread_name_prefix="worker")

    async def run(self, step: Callable[..., T], *arguments: Any) -> T:
        """Run a step on a thread and wait for it."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, step, *arguments)

    def close(self) -> None:
        """Let the threads end, without waiting for a step that nobody waits for any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
