"""TensorProto to numpy and back, without TensorFlow.

Raw bytes (`tensor_content`) become a read-only array over the message's own memory. A typed list that is shorter than
the shape repeats its last element, as TensorFlow's own parser does; an empty list stands for zeros.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from modelserver.errors import InvalidArgument, Unimplemented
from protos.stubs.tensorflow.core.framework import types_pb2 as types
from protos.stubs.tensorflow.core.framework.tensor_pb2 import TensorProto
from protos.stubs.tensorflow.core.framework.tensor_shape_pb2 import TensorShapeProto

Array = npt.NDArray[Any]

# No message is larger than 2 GiB, so no honest tensor is; a shape that asks for more is refused before any memory is.
MAX_BYTES = 2**31 - 1


@dataclass(frozen=True)
class ElementType:
    """How one DataType is held in numpy and in a TensorProto."""

    dtype: np.dtype[Any]
    field: str
    """The typed list that holds it."""

    stored: np.dtype[Any]
    """The type of the elements of that list, before they become `dtype`."""


def _element(dtype: str, field: str, stored: str = "") -> ElementType:
    return ElementType(np.dtype(dtype), field, np.dtype(stored or dtype))


ELEMENTS: dict[types.DataType, ElementType] = {
    types.DT_FLOAT: _element("<f4", "float_val"),
    types.DT_DOUBLE: _element("<f8", "double_val"),
    types.DT_INT32: _element("<i4", "int_val"),
    types.DT_UINT8: _element("u1", "int_val", "<i4"),
    types.DT_INT16: _element("<i2", "int_val", "<i4"),
    types.DT_INT8: _element("i1", "int_val", "<i4"),
    types.DT_UINT16: _element("<u2", "int_val", "<i4"),
    types.DT_INT64: _element("<i8", "int64_val"),
    types.DT_BOOL: _element("?", "bool_val"),
    types.DT_UINT32: _element("<u4", "uint32_val"),
    types.DT_UINT64: _element("<u8", "uint64_val"),
    types.DT_HALF: _element("<f2", "half_val", "<u2"),
    types.DT_COMPLEX64: _element("<c8", "scomplex_val", "<f4"),
    types.DT_COMPLEX128: _element("<c16", "dcomplex_val", "<f8"),
}
DATA_TYPES = {element.dtype: data_type for data_type, element in ELEMENTS.items()}


def type_name(data_type: int) -> str:
    """Return the name that TensorFlow's messages use: DT_FLOAT is "float"."""
    name = types.DataType.Name(data_type) if data_type in types.DataType.values() else f"DT_{data_type}"
    return name.removeprefix("DT_").lower()


def from_proto(tensor: TensorProto) -> Array:
    """Return the tensor as an array; strings as an array of `bytes` objects.

    Raises:
        InvalidArgument: shape and values do not fit each other.
        Unimplemented: numpy has no such element type.
    """
    shape = shape_of(tensor.tensor_shape)
    if tensor.dtype == types.DT_STRING:
        return _strings(tensor, shape)
    element = ELEMENTS.get(tensor.dtype)
    if element is None:
        raise Unimplemented(f"Tensors of type {type_name(tensor.dtype)} are not supported by this server")
    _check_size(shape, element.dtype.itemsize)
    if tensor.tensor_content:
        return _over_content(tensor.tensor_content, element.dtype, shape)
    return _from_list(getattr(tensor, element.field), element, shape)


def shape_of(shape: TensorShapeProto) -> tuple[int, ...]:
    """Return the sizes of a tensor's shape.

    Raises:
        InvalidArgument: a size is unknown, which only a signature may have.
    """
    sizes = tuple(dim.size for dim in shape.dim)
    if shape.unknown_rank or any(size < 0 for size in sizes):
        raise InvalidArgument(f"Shape {list(sizes)} of a tensor has unknown sizes")
    return sizes


def to_proto(array: Array, tensor: TensorProto, *, as_content: bool = True) -> None:
    """Write an array into an empty tensor: as raw bytes, or in the typed list.

    Raises:
        Unimplemented: TensorProto has no such element type.
    """
    for size in array.shape:
        tensor.tensor_shape.dim.add().size = size
    if array.dtype.kind in "OSU":
        tensor.dtype = types.DT_STRING
        tensor.string_val.extend(_as_bytes(value) for value in array.reshape(-1).tolist())
        return
    data_type = DATA_TYPES.get(array.dtype.newbyteorder("<"))
    if data_type is None:
        raise Unimplemented(f"The model answers with elements of type {array.dtype}, which no TensorProto can carry")
    tensor.dtype = data_type
    if as_content:
        tensor.tensor_content = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False).tobytes()
    else:
        element = ELEMENTS[data_type]
        flat = np.ascontiguousarray(array).reshape(-1)
        reinterpreted = flat.view(element.stored) if element.field in _REINTERPRETED else flat
        getattr(tensor, element.field).extend(reinterpreted.tolist())


_REINTERPRETED = {"half_val", "scomplex_val", "dcomplex_val"}


def _as_bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _check_size(shape: tuple[int, ...], item_bytes: int) -> None:
    if math.prod(shape) * item_bytes > MAX_BYTES:
        raise InvalidArgument(f"A tensor of shape {list(shape)} is larger than 2 GiB, the largest message")


def _over_content(content: bytes, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    expected = math.prod(shape) * dtype.itemsize
    if len(content) != expected:
        raise InvalidArgument(
            f"tensor_content has {len(content)} bytes, and shape {list(shape)} of {dtype.name} needs {expected}"
        )
    return np.frombuffer(content, dtype).reshape(shape)


def _from_list(values: Any, element: ElementType, shape: tuple[int, ...]) -> Array:
    per_element = element.dtype.itemsize // element.stored.itemsize if element.dtype.kind == "c" else 1
    wanted = math.prod(shape)
    if not values:
        return np.zeros(shape, element.dtype)
    try:
        given = np.fromiter(values, element.stored, count=min(len(values), wanted * per_element))
    except OverflowError as error:
        raise InvalidArgument(f"A value of {element.field} is out of range: {error}") from error
    if per_element == 2:
        given = given[: given.size - given.size % 2]
    typed = given.view(element.dtype) if element.field in _REINTERPRETED else given.astype(element.dtype, copy=False)
    return _filled(typed, wanted).reshape(shape)


def _filled(values: Array, wanted: int) -> Array:
    """Repeat the last of the values until there are `wanted`."""
    if values.size == wanted:
        return values
    filled = np.full(wanted, values[-1] if values.size else 0, values.dtype)
    filled[: values.size] = values
    return filled


def _strings(tensor: TensorProto, shape: tuple[int, ...]) -> Array:
    _check_size(shape, 8)
    if tensor.tensor_content:
        raise Unimplemented("Strings in tensor_content are not supported by this server; send them in string_val")
    wanted = math.prod(shape)
    given = list(tensor.string_val[:wanted]) or [b""]
    array = np.empty(wanted, dtype=object)
    array[:] = given + [given[-1]] * (wanted - len(given)) if wanted else []
    return array.reshape(shape)
