"""The retry budget: repeats are a share of the calls, so that an outage is not made worse by repeating."""

from __future__ import annotations

import time
from collections.abc import Callable

from proxy.backend.settings import RetrySettings


class RetryBudget:
    """Count what may be repeated: every call adds its share, time adds a floor, a repeat takes one."""

    def __init__(self, settings: RetrySettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._saved = float(settings.budget_burst)
        self._filled = clock()

    def note_call(self) -> None:
        """Add the share of one call."""
        self._add(self._settings.budget_ratio)

    def take(self) -> bool:
        """Take one repeat; False when none is left."""
        now = self._clock()
        self._add((now - self._filled) * self._settings.budget_floor_per_second)
        self._filled = now
        if self._saved < 1:
            return False
        self._saved -= 1
        return True

    def _add(self, amount: float) -> None:
        # At least one can be saved, or the floor and the share would never add up to a repeat.
        self._saved = min(self._saved + amount, max(1.0, self._settings.budget_burst))
