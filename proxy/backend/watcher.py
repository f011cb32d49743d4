"""The watcher: who is told what happens between a request and the servers of its model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

RetryOutcome = Literal["answered", "failed", "no-budget"]


def _ignore(_: object) -> None:
    """Let it go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """Hold what is called when something happens; by default nothing is."""

    batch_sent: Callable[[int], None] = _ignore
    """Told the number of examples in a call that several requests share."""
    waited: Callable[[float], None] = _ignore
    """Told the seconds that a request waited to be joined with others."""
    repeated: Callable[[RetryOutcome], None] = _ignore
    """Told what came of a call that a server did not answer at once; `no-budget` is one that was not sent again."""


UNWATCHED = Watcher()
