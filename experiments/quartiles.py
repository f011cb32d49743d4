"""Quartiles: what many times of the same thing are told by."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Quartiles:
    """The first quartile, the median and the third quartile of some values."""

    lower: float
    median: float
    upper: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Quartiles:
        """Compute them; linear between neighbours, ends included.

        Raises:
            ValueError: There is no value.
        """
        ordered = sorted(values)
        if not ordered:
            raise ValueError("quartiles of no values")
        if len(ordered) == 1:
            return cls(ordered[0], ordered[0], ordered[0])
        lower, median, upper = statistics.quantiles(ordered, n=4, method="inclusive")
        return cls(lower, median, upper)

    def __str__(self) -> str:
        """Return the median with the quartiles in brackets, to three digits that count."""
        return f"{short(self.median)} ({short(self.lower)}-{short(self.upper)})"


def short(value: float) -> str:
    """Return a number with three digits that count, never in powers of ten: 12,345 and 0.0123 and 1.23."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if value == 0:
        return "0"
    text = f"{value:.3g}"
    return f"{value:.9f}".rstrip("0") if "e" in text else text


def timed(work: Callable[[], object], repeats: int, warm_up: int = 1) -> list[float]:
    """Return the times of `repeats` runs in milliseconds, after `warm_up` runs that do not count."""
    return interleaved([work], repeats, warm_up)[0]


def interleaved(works: Sequence[Callable[[], object]], repeats: int, warm_up: int = 1) -> list[list[float]]:
    """Time several things in turns (A B C A B C), so that a machine that slows down is slow for all of them.

    Returns:
        For each thing its times in milliseconds.
    """
    times: list[list[float]] = [[] for _ in works]
    for turn in range(warm_up + repeats):
        for mine, work in zip(times, works, strict=True):
            start = time.perf_counter()
            work()
            if turn >= warm_up:
                mine.append((time.perf_counter() - start) * 1000)
    return times
