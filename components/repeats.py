"""Values that are there twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def repeats(values: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Yield (position, first position) of every value that was there before, counted from 1."""
    seen: dict[str, int] = {}
    for position, value in enumerate(values, start=1):
        if value in seen:
            yield position, seen[value]
        else:
            seen[value] = position
