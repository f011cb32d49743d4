"""Calls: what is asked of a model, before it becomes a message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """Choose a version of a model: by number, by label, or the latest when neither is given."""

    version: int | None = None
    label: str | None = None


LATEST = Selector()


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictCall:
    """Hold the arrays for one signature of a model."""

    signature: str
    arrays: Arrays
    selector: Selector = LATEST
    output_filter: tuple[str, ...] = ()
    """The outputs wanted; all of them when empty."""
    batched: frozenset[str] = frozenset()
    """Inputs whose first dimension counts examples, so that calls may be joined along it; empty: never joined."""
