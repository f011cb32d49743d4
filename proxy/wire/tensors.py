"""Tensors: numpy arrays to TensorProto and back, copying as little as the format allows.

The format is TensorFlow's (tensorflow/core/framework/tensor.proto): values stand either in `tensor_content`, as
little-endian bytes, or in the list that belongs to their type; a list that is too short repeats its last value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protos.stubs.tensorflow.core.framework import types_pb2
from protos.stubs.tensorflow.core.framework.tensor_pb2 import TensorProto
from protos.stubs.tensorflow.core.framework.tensor_shape_pb2 import TensorShapeProto
from protos.stubs.tensorflow.core.framework.types_pb2 import DataType
from proxy.errors import AnswerInvalid

Array = NDArray[Any]

MAX_TENSOR_BYTES = 512 * 1024 * 1024
"""The largest tensor read from an answer; a few bytes on the wire may ask for a repeated value of any size."""

_NUMPY_TYPES: dict[DataType, np.dtype[Any]] = {
    types_pb2.DT_FLOAT: np.dtype("<f4"),
    types_pb2.DT_DOUBLE: np.dtype("<f8"),
    types_pb2.DT_HALF: np.dtype("<f2"),
    types_pb2.DT_INT8: np.dtype("i1"),
    types_pb2.DT_INT16: np.dtype("<i2"),
    types_pb2.DT_INT32: np.dtype("<i4"),
    types_pb2.DT_INT64: np.dtype("<i8"),
    types_pb2.DT_UINT8: np.dtype("u1"),
    types_pb2.DT_UINT16: np.dtype("<u2"),
    types_pb2.DT_UINT32: np.dtype("<u4"),
    types_pb2.DT_UINT64: np.dtype("<u8"),
    types_pb2.DT_BOOL: np.dtype("?"),
}
_DATA_TYPES = {dtype: number for number, dtype in _NUMPY_TYPES.items()}

# numpy has no bfloat16: its bits are the upper half of a float32.
_BFLOAT16 = types_pb2.DT_BFLOAT16

_LISTS: dict[DataType, str] = {
    types_pb2.DT_FLOAT: "float_val",
    types_pb2.DT_DOUBLE: "double_val",
    types_pb2.DT_HALF: "half_val",
    types_pb2.DT_BFLOAT16: "half_val",
    types_pb2.DT_INT8: "int_val",
    types_pb2.DT_INT16: "int_val",
    types_pb2.DT_INT32: "int_val",
    types_pb2.DT_INT64: "int64_val",
    types_pb2.DT_UINT8: "int_val",
    types_pb2.DT_UINT16: "int_val",
    types_pb2.DT_UINT32: "uint32_val",
    types_pb2.DT_UINT64: "uint64_val",
    types_pb2.DT_BOOL: "bool_val",
    types_pb2.DT_STRING: "string_val",
}


def numpy_type(data_type: DataType) -> np.dtype[Any] | None:
    """Return the numpy type of a TensorFlow type; object for strings, None where the proxy has none."""
    if data_type == types_pb2.DT_STRING:
        return np.dtype(object)
    return np.dtype("<f4") if data_type == _BFLOAT16 else _NUMPY_TYPES.get(data_type)


def type_name(data_type: DataType) -> str:
    """Return TensorFlow's name of a type, such as DT_FLOAT."""
    names = DataType.items()
    return next((name for name, number in names if number == data_type), f"type {data_type}")


def fill_tensor(tensor: TensorProto, array: Array) -> None:
    """Write an array into an empty TensorProto; numbers as `tensor_content`.

    The tensor is filled where it stands in its request, because protobuf copies a message that is put into another
    one, and slowly.

    Args:
        tensor: Changed in place.
        array: Of a numeric type of `_NUMPY_TYPES`, or an object array of bytes for DT_STRING.

    Raises:
        KeyError: Another type; callers choose the type from the model's signature, so this is a bug.
    """
    tensor.tensor_shape.dim.extend(TensorShapeProto.Dim(size=size) for size in array.shape)
    if array.dtype.hasobject:
        tensor.dtype = types_pb2.DT_STRING
        tensor.string_val.extend(array.ravel().tolist())
        return
    tensor.dtype = _DATA_TYPES[array.dtype.newbyteorder("<")]
    tensor.tensor_content = array.tobytes()


def tensor_to_array(tensor: TensorProto, name: str) -> Array:
    """Read a TensorProto as an array; `tensor_content` becomes a read-only view without a copy.

    Args:
        tensor: From the model server's answer.
        name: The tensor's name, for messages.

    Returns:
        An array of the tensor's shape; strings as objects of bytes, bfloat16 as float32.

    Raises:
        AnswerInvalid: A type the proxy has not, a shape that is no shape, or values that do not fill it.
    """
    stored = np.dtype("<u2") if tensor.dtype == _BFLOAT16 else numpy_type(tensor.dtype)
    if stored is None:
        raise _invalid(name, f"values of type {type_name(tensor.dtype)}", "The proxy cannot show this type")
    shape = _shape(tensor, name, stored.itemsize)
    values = _content(tensor, stored, name) if tensor.tensor_content else _listed(tensor, stored)
    array = _filled(values, shape, name).reshape(shape)
    return _widened(array) if tensor.dtype == _BFLOAT16 else array


def _shape(tensor: TensorProto, name: str, item_bytes: int) -> tuple[int, ...]:
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    if tensor.tensor_shape.unknown_rank or any(size < 0 for size in shape):
        raise _invalid(name, f"the shape {list(shape)}", "An answer has a shape with all its sizes")
    if math.prod(shape) * item_bytes > MAX_TENSOR_BYTES:
        raise _invalid(name, f"the shape {list(shape)}", f"That is more than {MAX_TENSOR_BYTES} bytes of memory")
    return shape


def _content(tensor: TensorProto, stored: np.dtype[Any], name: str) -> Array:
    if stored.hasobject or len(tensor.tensor_content) % stored.itemsize:
        found = f"{len(tensor.tensor_content)} bytes of content for values of type {type_name(tensor.dtype)}"
        raise _invalid(name, found, "They cannot be cut into values")
    return np.frombuffer(tensor.tensor_content, stored)


def _listed(tensor: TensorProto, stored: np.dtype[Any]) -> Array:
    """Read the list of values that belongs to the tensor's type."""
    field = _LISTS[tensor.dtype]
    if field in ("float_val", "double_val"):
        return _packed(tensor, field, stored)
    values: Sequence[Any] = getattr(tensor, field)
    count = len(values)
    if stored.hasobject:
        return np.fromiter(values, object, count)
    if field == "half_val":
        return np.fromiter(values, np.int32, count).astype(np.uint16).view(stored)
    # Values beyond their type are cut to its bits, as TensorFlow does.
    wide = np.uint64 if stored.kind == "u" else np.int64
    return np.fromiter(values, wide, count).astype(stored)


def _packed(tensor: TensorProto, field: str, stored: np.dtype[Any]) -> Array:
    """Read a list of fixed-width numbers through its wire form.

    The generated parser hands its numbers out one Python object at a time. A message with this field alone is, on the
    wire, a tag, a length and the numbers as they stand in memory; reading those is some twenty times faster.
    """
    alone = TensorProto.FromString(tensor.SerializeToString())
    for other, _ in alone.ListFields():
        if other.name != field:
            alone.ClearField(other.name)  # pyright: ignore[reportArgumentType]
    alone.DiscardUnknownFields()
    wire = alone.SerializeToString()
    count = len(getattr(tensor, field))
    return np.frombuffer(wire, stored, count, len(wire) - count * stored.itemsize)


def _filled(values: Array, shape: tuple[int, ...], name: str) -> Array:
    """Repeat the last value until the shape is full."""
    wanted = math.prod(shape)
    if len(values) == wanted:
        return values
    if not len(values) or len(values) > wanted:
        raise _invalid(name, f"{len(values)} values for the shape {list(shape)}", f"{wanted} are needed")
    return np.concatenate([values, np.repeat(values[-1:], wanted - len(values))])


def _widened(array: Array) -> NDArray[np.float32]:
    return (array.astype(np.uint32) << np.uint32(16)).view(np.float32)


def _invalid(name: str, found: str, reason: str) -> AnswerInvalid:
    return AnswerInvalid(
        where=f"answer of the model server > output {name!r}",
        found=found,
        reason=reason,
        remedy="Leave this output out of the model's signature, or check the model server",
    )
