"""The classification extension of the Open Inference Protocol: an output's highest values, with their places.

Each is a text `value:index` or `value:index:label` (docs/protocol/extension_classification.md of Triton).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proxy.errors import InvalidTensor

Array = NDArray[Any]


def top_classes(name: str, array: Array, count: int, labels: Sequence[str]) -> Array:
    """Return the highest values of an output as texts.

    Args:
        name: The output's, for messages.
        array: [classes] or [batch, classes], numbers.
        count: How many are wanted; there are no more than classes.
        labels: Of the classes; none where there are too few.

    Returns:
        [count] or [batch, count], bytes, the highest first.

    Raises:
        InvalidTensor: The output is none of classes.
    """
    if array.ndim not in (1, 2) or array.dtype.hasobject:
        raise InvalidTensor(
            where=f"JSON body > outputs > {name!r} > classification",
            found=f"an output of {'texts' if array.dtype.hasobject else f'shape {list(array.shape)}'}",
            reason="Classes are counted along the last of one or two dimensions of numbers",
            remedy="Leave the parameter classification out",
        )
    rows = array.reshape(-1, array.shape[-1]) if array.size else array.reshape(array.shape[0], -1)
    shown = [[_text(row, int(place), labels) for place in _highest(row, count)] for row in rows]
    flat = [text for row in shown for text in row]
    return np.fromiter(flat, object, len(flat)).reshape(*array.shape[:-1], len(shown[0]) if shown else 0)


def _highest(row: Array, count: int) -> Array:
    # Equal ones stay in their order, as a stable sort of the negated would leave them, for unsigned numbers as well.
    return (len(row) - 1 - np.argsort(row[::-1], kind="stable"))[::-1][:count]


def _text(row: Array, place: int, labels: Sequence[str]) -> bytes:
    value = f"{row[place]:f}" if row.dtype.kind == "f" else str(row[place])
    label = f":{labels[place]}" if place < len(labels) else ""
    return f"{value}:{place}{label}".encode()
