"""Tell the person at the terminal what is being done and how long it took."""

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def step(what: str) -> Generator[None]:
    """Print a step when it has ended, with its time; nothing when it took no time to speak of."""
    start = time.monotonic()
    yield
    seconds = time.monotonic() - start
    if seconds >= 0.1:
        say(f"  {what:<46} {seconds:6.1f} s")


def say(line: str) -> None:
    """Print one line for a person; standard output is for what a program reads."""
    print(line, file=sys.stderr, flush=True)
