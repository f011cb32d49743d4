"""Concurrency: how many calls to a replica at once give the shortest times, found out by trying."""

from __future__ import annotations

import time
from collections.abc import Callable

Limit = int | None
"""Calls under way to each replica; None for no limit, so that nothing waits and nothing is joined."""

LIMITS: tuple[Limit, ...] = (2, 1, None)
"""Two first: while the server works on one, the next is on its way. One lets batches grow as large as they can."""

_WINDOW_CALLS = 32
_WINDOW_SECONDS = 0.3
"""A window has at least so many calls and so many seconds, whichever is longer."""
_LONGEST_SECONDS = 2.0
_FEWEST_CALLS = 8
"""After its longest time a window may end with these; fewer tell too little, however long they took."""
_MARGIN = 0.95
"""Another limit is taken only if its times are this much shorter; they scatter."""
_RETRIAL_SECONDS = 15.0
"""After how long another limit is tried again; longer, the worse it was."""


class Concurrency:
    """Choose the limit of calls under way.

    Calls are counted in windows, each with one limit. What a limit is worth is the mean time of the window's calls,
    from their coming to their answer, their waiting included; with as many senders, that time is the inverse of the
    throughput. It depends on how many calls there are at once, so it is kept per level, a power of two of the most that
    were there in the window before. On each level every limit is tried once, then the best one is used, and now and
    then another one for a window. Where only one call is there at a time all limits are the same, and nothing is tried.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._levels: dict[int, _Level] = {}
        self._window = 0
        self._level = 1
        self._started = clock()
        self._most = 0
        self._skip = 0
        self._seconds = 0.0
        self._count = 0
        self.limit: Limit = LIMITS[0]

    def begin(self, pending: int) -> int:
        """Note that a call came, as the last of `pending` that are not answered; return its window for `end`."""
        self._most = max(self._most, pending)
        return self._window

    def end(self, window: int, seconds: float) -> None:
        """Note that a call of a window was answered."""
        # What began under another limit, or waited behind such calls, says nothing of this one.
        if window != self._window:
            return
        if self._skip:
            self._skip -= 1
            return
        self._seconds += seconds
        self._count += 1
        if self._is_over():
            self._turn_over()

    def _is_over(self) -> bool:
        elapsed = self._clock() - self._started
        if elapsed > _LONGEST_SECONDS:
            return self._count >= _FEWEST_CALLS
        return elapsed > _WINDOW_SECONDS and self._count >= max(_WINDOW_CALLS, 2 * self._most)

    def _turn_over(self) -> None:
        now = self._clock()
        self._at(self._level).learn(self.limit, self._seconds / self._count, now)
        level = self._most.bit_length()
        limit = LIMITS[0] if level <= 1 else self._at(level).choose(now)
        self._skip = self._most if limit != self.limit else 0
        self._level, self.limit = level, limit
        self._window += 1
        self._started = now
        self._most, self._count, self._seconds = 0, 0, 0.0

    def _at(self, level: int) -> _Level:
        return self._levels.setdefault(level, _Level())


class _Level:
    """What each limit was worth with so many calls at once."""

    def __init__(self) -> None:
        self._seconds: dict[Limit, float] = {}
        self._measured: dict[Limit, float] = {}
        self._best: Limit = LIMITS[0]

    def learn(self, limit: Limit, seconds: float, now: float) -> None:
        """Note the mean time of a window's calls."""
        known = self._seconds.get(limit, seconds)
        self._seconds[limit] = (known + seconds) / 2
        self._measured[limit] = now

    def choose(self, now: float) -> Limit:
        """Return the limit for the next window."""
        for limit in LIMITS:
            if limit not in self._seconds:
                return limit
        shortest = min(LIMITS, key=lambda limit: self._seconds[limit])
        if self._seconds[shortest] < _MARGIN * self._seconds[self._best]:
            self._best = shortest
        for limit in LIMITS:
            worse = self._seconds[limit] / self._seconds[self._best]
            if limit != self._best and now - self._measured[limit] > _RETRIAL_SECONDS * max(1.0, worse):
                return limit
        return self._best
