"""Rounding: numbers to some decimals, so that JSON writes them short."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# Beyond this number a float64 has less than one binary digit behind the point: too few to round by.
_MOST_SCALED = 2.0**51


def round_to(array: Array, decimals: int | None) -> Array:
    """Round numbers to decimals.

    It is done in float64, where a float32 neither overflows nor loses anything on the way: a number that has fewer
    digits than asked for stays as it is, to the bit. What is printed for the result is as short as the decimals say.

    Args:
        array: Numbers of any type; those that are no floating point stay as they are.
        decimals: From 0 to 15, or None to leave everything as it is.

    Returns:
        An array of the same shape and type.
    """
    if decimals is None or array.dtype.kind != "f":
        return array
    scale = 10.0**decimals
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.multiply(array, scale, dtype=np.float64)
        rounded = np.rint(scaled)
        rounded /= scale
    if array.dtype.itemsize == 8:
        rounded = np.where(np.abs(scaled) < _MOST_SCALED, rounded, array)
    return rounded.astype(array.dtype, copy=False)
