"""Narrowing: numbers of one type to the type that a model takes, where nothing but precision is lost."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# Kinds of numpy types that may become one of some kind.
_TAKES: dict[str, frozenset[str]] = {
    "f": frozenset("fiu"),
    "i": frozenset("iu"),
    "u": frozenset("iu"),
    "b": frozenset("b"),
}


def takes(wanted: np.dtype[Any], found: np.dtype[Any]) -> bool:
    """Say whether numbers of type `found` may become numbers of type `wanted`."""
    return found.kind in _TAKES.get(wanted.kind, frozenset())


def narrowed(array: Array, wanted: np.dtype[Any]) -> Array | None:
    """Return the array in the wanted type, itself where it has that, or None where a number is out of range."""
    if array.dtype == wanted:
        return array
    with np.errstate(over="ignore", invalid="ignore"):
        converted = array.astype(wanted)
    if wanted.kind == "f":
        lost = np.isinf(converted)
        return None if lost.any() and (lost & np.isfinite(array)).any() else converted
    return converted if (converted == array).all() else None
