"""Binary tensors: values as bytes, one tensor behind the other, little-endian and without gaps.

Texts and bytes (BYTES) have their length in front of each, in four bytes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protos.stubs.tensorflow.core.framework import types_pb2
from proxy.backend.datatypes import datatype
from proxy.backend.signatures import TensorSpec
from proxy.errors import InvalidTensor
from proxy.wire.tensors import numpy_type

Array = NDArray[Any]

_LENGTH_BYTES = 4


class BinaryTensors:
    """Take one tensor after the other from the bytes behind a JSON object."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._position = 0

    def take(self, size: int, spec: TensorSpec, shape: tuple[int, ...]) -> Array:
        """Take the next tensor.

        Args:
            size: How many bytes it has.
            spec: What the model takes.
            shape: Checked already against `spec`.

        Returns:
            A read-only view of the bytes; an object array of bytes for BYTES.

        Raises:
            InvalidTensor: There are not so many bytes, or they are not the values of this shape.
        """
        piece = self._data[self._position : self._position + size]
        if len(piece) != size:
            raise _invalid(spec, f"{len(piece)} bytes", f"binary_data_size says {size}")
        self._position += size
        if spec.data_type == types_pb2.DT_STRING:
            return _texts(piece, spec, shape)
        return _numbers(piece, spec, shape)

    def check_end(self) -> None:
        """Refuse bytes that belong to no tensor.

        Raises:
            InvalidTensor: There are some.
        """
        left = len(self._data) - self._position
        if left:
            raise InvalidTensor(
                where="binary tensors",
                found=f"{left} bytes after the last one",
                reason="Each input has as many as its binary_data_size says",
                remedy="Send the bytes of the inputs in the order of the inputs, and no other",
            )


def _numbers(piece: memoryview, spec: TensorSpec, shape: tuple[int, ...]) -> Array:
    stored = numpy_type(spec.data_type)
    if stored is None or spec.data_type == types_pb2.DT_BFLOAT16:
        reason = f"The proxy cannot pass on values of type {datatype(spec.data_type)}"
        raise _invalid(spec, "binary values", reason)
    wanted = math.prod(shape) * stored.itemsize
    if len(piece) != wanted:
        raise _invalid(spec, f"{len(piece)} bytes", f"Shape {list(shape)} of {datatype(spec.data_type)} takes {wanted}")
    array = np.frombuffer(piece, stored).reshape(shape) if wanted else np.zeros(shape, stored)
    if stored.kind == "b" and array.view(np.uint8).max(initial=0) > 1:
        raise _invalid(spec, "a byte that is neither 0 nor 1", "Booleans are sent so")
    return array


def _texts(piece: memoryview, spec: TensorSpec, shape: tuple[int, ...]) -> Array:
    count = math.prod(shape)
    # Each text takes at least its length, so that this also bounds the work.
    if count * _LENGTH_BYTES > len(piece):
        raise _invalid(spec, f"{len(piece)} bytes", f"Shape {list(shape)} takes {_LENGTH_BYTES} for each text, or more")
    data, position = bytes(piece), 0
    texts: list[bytes] = []
    for _ in range(count):
        start = position + _LENGTH_BYTES
        position = start + int.from_bytes(data[position:start], "little")
        texts.append(data[start:position])
        if start > len(data) or position > len(data):
            raise _invalid(spec, f"a text that ends after {position} bytes of {len(data)}", "Its length is in front")
    if position != len(data):
        raise _invalid(spec, f"{len(data) - position} bytes after the last text", f"Shape {list(shape)} has {count}")
    return np.fromiter(texts, object, count).reshape(shape)


def _invalid(spec: TensorSpec, found: str, reason: str) -> InvalidTensor:
    return InvalidTensor(
        where=f"binary tensors > input {spec.name!r}",
        found=found,
        reason=reason,
        remedy=f"Send the values little-endian and without gaps, in shape {spec.shape_text}",
    )
