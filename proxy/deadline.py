"""Deadlines: the moment until which a request must be answered, by the event loop's clock."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from proxy.errors import DeadlineExceeded, InvalidHeader

HEADER = "x-request-timeout"


@dataclass(frozen=True, slots=True)
class Deadline:
    """Hold a moment of the monotonic clock, in seconds, and the time that was given."""

    moment: float
    seconds: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Make the deadline that lies `seconds` from now."""
        return cls(time.monotonic() + seconds, seconds)

    @property
    def remaining(self) -> float:
        """Return the seconds left, 0 when it has passed."""
        return max(0.0, self.moment - time.monotonic())

    def exceeded(self, where: str) -> DeadlineExceeded:
        """Say that it passed while the request was at some stage."""
        return DeadlineExceeded(
            where=where,
            found=f"not done within {self.seconds:g} s",
            reason="The request's time is up, and nobody waits for a late answer",
            remedy="Try again later, send less at once, or allow more time (deadline-seconds, X-Request-Timeout)",
        )


def requested_seconds(header: str | None, longest: float) -> float:
    """Return the time that a request has: what its header asks for, at most `longest`.

    Raises:
        InvalidHeader: The header is no positive number of seconds.
    """
    if header is None:
        return longest
    try:
        seconds = float(header)
    except ValueError:
        seconds = math.nan
    if not seconds > 0:
        raise InvalidHeader(
            where="header X-Request-Timeout",
            found=f"{header[:40]!r}",
            reason="It is the time for the request, in seconds",
            remedy="Send a positive number such as 2.5, or leave the header out",
        )
    return min(seconds, longest)
