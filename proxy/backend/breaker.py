"""The circuit breaker of one replica: no calls for a while after failures in a row, then one to try."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from proxy.backend.settings import BreakerSettings

BreakerState = Literal["closed", "half-open", "open"]


class Breaker:
    """Say whether a replica should be asked.

    Closed, it lets everything through. After `failures` in a row it opens: for `pause_seconds` the replica is passed
    over. Then one call at a time may try it (half open): its success closes the breaker, its failure opens it again
    for twice as long.

    The breaker only advises. Whoever chooses asks a replica with an open breaker when there is no other: refusing
    everything would help nobody, and a connection that is down fails at once anyway.
    """

    def __init__(self, settings: BreakerSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._failures = 0
        self._open_until: float | None = None
        self._pause = settings.pause_seconds
        self._trying = False

    @property
    def is_open(self) -> bool:
        """Say whether failures have opened it; half open is open as well."""
        return self._open_until is not None

    @property
    def state(self) -> BreakerState:
        """Return what becomes of the next call: it goes through, it tries the replica, or it is kept away."""
        if self._open_until is None:
            return "closed"
        return "half-open" if self._trying or self._clock() >= self._open_until else "open"

    def allows(self) -> bool:
        """Say whether a call should go to the replica now."""
        if self._open_until is None:
            return True
        return not self._trying and self._clock() >= self._open_until

    def begin(self) -> None:
        """Note that a call goes to the replica."""
        self._trying = self._open_until is not None

    def succeeded(self) -> None:
        """Note that the replica answered, be it an error about the request."""
        self._failures = 0
        self._trying = False
        self._open_until = None
        self._pause = self._settings.pause_seconds

    def failed(self) -> None:
        """Note that the replica did not answer."""
        self._failures += 1
        if self._open_until is not None:
            if self._trying:
                self._pause = min(2 * self._pause, self._settings.longest_pause_seconds)
                self._open()
        elif self._failures >= self._settings.failures:
            self._open()

    def fell_behind(self) -> None:
        """Note that the replica lacks what another one has: it is still loading. It is passed over at once."""
        if self._open_until is None or self._trying:
            self._open()

    def ended(self) -> None:
        """Note that a call ended in a way that says nothing of the replica."""
        self._trying = False

    def _open(self) -> None:
        self._trying = False
        self._open_until = self._clock() + self._pause
