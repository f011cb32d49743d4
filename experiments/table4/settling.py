"""Settling: the wait until hosts do the same from one window to the next."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_POINTS, _SHARE = 2.0, 0.1
"""Two windows are alike where their CPU differs by at most so many per cent of a core, or of the earlier one."""


@dataclass(frozen=True)
class Settled:
    """How the wait ended."""

    seconds: float
    quiet: bool
    """Whether the hosts were, or the patience was at its end."""


def settle(
    cpu_seconds: Callable[[], Mapping[str, float]], *, window_seconds: float, patience_seconds: float
) -> Settled:
    """Wait until two windows that follow each other are alike on every host.

    Args:
        cpu_seconds: Returns what each host has used so far.
        window_seconds: What is compared with the next one.
        patience_seconds: The longest wait.
    """
    begin = time.monotonic()
    earlier: Mapping[str, float] | None = None
    for _ in range(max(1, int(patience_seconds // window_seconds))):
        used = _percent_in(cpu_seconds, window_seconds)
        if earlier is not None and alike(earlier, used):
            return Settled(time.monotonic() - begin, quiet=True)
        earlier = used
    return Settled(time.monotonic() - begin, quiet=False)


def alike(earlier: Mapping[str, float], later: Mapping[str, float]) -> bool:
    """Say whether every host used about as much of a core, in per cent, in one window as in the other."""
    return all(abs(later[host] - used) <= max(_POINTS, _SHARE * used) for host, used in earlier.items())


def _percent_in(cpu_seconds: Callable[[], Mapping[str, float]], window_seconds: float) -> dict[str, float]:
    begin, before = time.monotonic(), cpu_seconds()
    time.sleep(window_seconds)
    after, elapsed = cpu_seconds(), time.monotonic() - begin
    return {host: (after[host] - used) / elapsed * 100 for host, used in before.items()}
