"""Say what a long piece of work does and how far it is."""

import sys
import time
from collections.abc import Callable

_SECONDS_BETWEEN_LINES = 30.0
_SECONDS_BETWEEN_REDRAWS = 1.0


def say(text: str) -> None:
    """Print one line for the person who waits; standard output stays free for results."""
    print(text, file=sys.stderr, flush=True)


class Progress:
    """A line that tells what is done, for how long already and how far it is.

    On a terminal the line is drawn again each second; elsewhere, such as in a log, a new one comes every 30 s.

    Args:
        title: What is done, in words, such as "building pulumi 3.259.0 from source, about 4 min on 2 cores".
        clock: Seconds that only grow.
    """

    def __init__(self, title: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._title, self._clock = title, clock
        self._started = clock()
        self._terminal = sys.stderr.isatty()
        self._next = 0.0
        self.say_now("")

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._started

    def tell(self, how_far: str) -> None:
        """Show how far the work is, if the last line is old enough."""
        if self.seconds >= self._next:
            self.say_now(f"; {self.seconds:.0f} s so far, {how_far}")

    def finish(self, result: str) -> None:
        """Close with the time it took."""
        self.say_now(f"; {result} after {self.seconds:.0f} s")
        if self._terminal:
            say("")

    def say_now(self, more: str) -> None:
        """Show the title with `more` behind it, whatever the time is."""
        pause = _SECONDS_BETWEEN_REDRAWS if self._terminal else _SECONDS_BETWEEN_LINES
        self._next = self.seconds + pause
        if self._terminal:
            print(f"\r\x1b[K{self._title}{more}", end="", file=sys.stderr, flush=True)
        else:
            say(self._title + more)
