"""Writing tensors: the buffers of a TensorProto, the large one where the array has it.

Numbers go as `tensor_content`, or in the list of their type where that takes fewer bytes: a list writes small integers
in a byte or two, and leaves out the repetitions of its last value, which the reader puts back. An int32 tensor of 500
with 42 tokens and padding takes about 100 bytes so, and 2000 as `tensor_content`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protos.stubs.tensorflow.core.framework import types_pb2
from protos.stubs.tensorflow.core.framework.tensor_pb2 import TensorProto
from protos.stubs.tensorflow.core.framework.tensor_shape_pb2 import TensorShapeProto
from protos.stubs.tensorflow.core.framework.types_pb2 import DataType
from proxy.wire.fields import BYTES
from proxy.wire.tensors import DATA_TYPES, ELEMENTS, FIXED_LISTS, STRING_LIST
from proxy.wire.varints import encode_varints, varints_size, write_varint

Array = NDArray[Any]
Buffer = bytes | memoryview
"""A memoryview is one of bytes, so that its length is that of what it writes."""

MOST_LISTED = 16_384
"""The most integers that are written as a list; more of them would take longer to write than to send."""

_SAMPLE = 4096

# Integers of one byte are mostly pictures, and would take one byte or two in a list. Floats take as many bytes in a
# list as in `tensor_content`, so that only repetitions count: a list is tried where it would have one value.
_CUT_TO_INTEGERS = frozenset(np.dtype(name) for name in ("<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "?"))
_CUT_TO_ONE = frozenset(np.dtype(name) for name in ("<f4", "<f8"))


def write_tensor(array: Array) -> list[Buffer]:
    """Write an array as a TensorProto.

    Args:
        array: Of a numeric type of `DATA_TYPES`, or an object array of bytes for DT_STRING.

    Returns:
        The message in pieces; a large one is the array's own memory, if that is contiguous and little-endian.

    Raises:
        KeyError: Another type; callers choose the type from the model's signature, so this is a bug.
    """
    if array.dtype.hasobject:
        head = _head(array.shape, types_pb2.DT_STRING)
        return [head, *(piece for value in array.ravel().tolist() for piece in delimited(STRING_LIST, [value]))]
    dtype = array.dtype.newbyteorder("<")
    data_type = DATA_TYPES[dtype]
    flat = np.ascontiguousarray(array, dtype).reshape(-1)
    head = _head(array.shape, data_type)
    if not len(flat):
        return [head]
    listed = _listed(flat, data_type)
    if listed is not None:
        return [head, *listed]
    return [head, *delimited(TensorProto.TENSOR_CONTENT_FIELD_NUMBER, [flat.view(np.uint8).data])]


def delimited(number: int, pieces: Iterable[Buffer]) -> list[Buffer]:
    """Write a field of bytes, a text or a message: its tag, its length, and what is in it."""
    held = list(pieces)
    return [write_varint(number << 3 | BYTES) + write_varint(sum(map(len, held))), *held]


@lru_cache(maxsize=256)
def _head(shape: tuple[int, ...], data_type: DataType) -> bytes:
    dims = [TensorShapeProto.Dim(size=size) for size in shape]
    return TensorProto(dtype=data_type, tensor_shape=TensorShapeProto(dim=dims)).SerializeToString()


def _listed(flat: Array, data_type: DataType) -> list[Buffer] | None:
    """Write the values as a list, or return None where `tensor_content` is to be preferred."""
    most = MOST_LISTED if flat.dtype in _CUT_TO_INTEGERS else 1 if flat.dtype in _CUT_TO_ONE else 0
    kept = _without_tail(flat, most) if most else None
    if kept is None:
        return None
    number = ELEMENTS[data_type].list_number
    if number in FIXED_LISTS:
        written = kept.tobytes()
    else:
        # The bits of a negative number are those of its 64 bits.
        numbers = kept.astype(np.int64 if kept.dtype.kind == "i" else np.uint64).view(np.uint64)
        if varints_size(numbers) >= flat.nbytes:
            return None
        written = encode_varints(numbers)
    field = delimited(number, [written])
    return field if sum(map(len, field)) < flat.nbytes else None


def _without_tail(flat: Array, most: int) -> Array | None:
    """Return the values up to the first of those that only repeat the last one; None if they are more than `most`.

    A picture is seen to have no such tail by a look at its middle and at a few thousand values, not at all of them.
    """
    # Compared as bits: 0.0 and -0.0 are equal numbers, and NaN is none.
    bits = flat.view(f"u{flat.itemsize}")
    last = bits[-1]
    rest = bits[most:]
    if len(rest) and (rest[len(rest) // 2] != last or (rest[:_SAMPLE] != last).any() or (rest != last).any()):
        return None
    different = np.flatnonzero(bits[:most] != last)
    return flat[: int(different[-1]) + 2 if len(different) else 1]
