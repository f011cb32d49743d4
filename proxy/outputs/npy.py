"""One tensor as a .npy file, which `numpy.load` reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proxy.errors import InvalidTensor

Array = NDArray[Any]

# The values begin at a multiple of this, so that a file can be mapped into memory.
_ALIGNMENT = 64


def npy_answer(outputs: Mapping[str, Array]) -> bytes:
    """Write the only output.

    Raises:
        InvalidTensor: There are several outputs, or none; or strings that a .npy file does not hold.
    """
    if len(outputs) != 1:
        raise _invalid(
            f"the outputs {', '.join(map(repr, sorted(outputs))) or '(none)'}", "A .npy file holds one tensor"
        )
    (array,) = outputs.values()
    return write_npy(array)


def write_npy(array: Array) -> bytes:
    """Write an array, copying its values once.

    Args:
        array: Numbers of any type, or an object array of bytes, which become strings of fixed length.

    Raises:
        InvalidTensor: Strings that end with a zero byte: a string of fixed length loses it.
    """
    if array.dtype.hasobject:
        array = _fixed_length(array)
    # Not `ascontiguousarray`, which gives a scalar a dimension.
    values = np.asarray(array, order="C")
    head = f"{{'descr': {values.dtype.str!r}, 'fortran_order': False, 'shape': {values.shape}, }}".encode()
    length = -(-(len(head) + 11) // _ALIGNMENT) * _ALIGNMENT - 10
    start = b"\x93NUMPY\x01\x00" + length.to_bytes(2, "little") + head.ljust(length - 1) + b"\n"
    return b"".join((start, values.reshape(-1).view(np.uint8).data))


def _fixed_length(array: Array) -> Array:
    flat: list[bytes] = array.ravel().tolist()
    if any(value.endswith(b"\0") for value in flat):
        raise _invalid("a string that ends with a zero byte", "In a .npy file it would lose that byte")
    return np.array(flat, f"S{max(map(len, flat), default=1) or 1}").reshape(array.shape)


def _invalid(found: str, reason: str) -> InvalidTensor:
    return InvalidTensor(
        where="answer of the model server",
        found=found,
        reason=reason,
        remedy="Name one output with output_filter, or accept JSON",
    )
