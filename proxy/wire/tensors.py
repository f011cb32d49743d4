"""Tensors: how each of TensorFlow's types is held in numpy and stands on the wire.

The format is TensorFlow's (tensorflow/core/framework/tensor.proto): values stand either in `tensor_content`, as
little-endian bytes, or in the list that belongs to their type; a list that is too short repeats its last value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from protos.stubs.tensorflow.core.framework import types_pb2
from protos.stubs.tensorflow.core.framework.tensor_pb2 import TensorProto
from protos.stubs.tensorflow.core.framework.types_pb2 import DataType

FIXED_LISTS = {
    TensorProto.FLOAT_VAL_FIELD_NUMBER: 4,
    TensorProto.DOUBLE_VAL_FIELD_NUMBER: 8,
    TensorProto.SCOMPLEX_VAL_FIELD_NUMBER: 4,
    TensorProto.DCOMPLEX_VAL_FIELD_NUMBER: 8,
}
"""The lists of numbers of fixed width, with the bytes of each number."""

VARINT_LISTS = frozenset(
    {
        TensorProto.INT_VAL_FIELD_NUMBER,
        TensorProto.INT64_VAL_FIELD_NUMBER,
        TensorProto.BOOL_VAL_FIELD_NUMBER,
        TensorProto.HALF_VAL_FIELD_NUMBER,
        TensorProto.UINT32_VAL_FIELD_NUMBER,
        TensorProto.UINT64_VAL_FIELD_NUMBER,
    }
)
"""The lists of numbers of variable length."""

STRING_LIST: int = TensorProto.STRING_VAL_FIELD_NUMBER


@dataclass(frozen=True, slots=True)
class ElementType:
    """Say how one type is stored."""

    stored: np.dtype[Any]
    """The type of the values in `tensor_content`; object for strings, which never stand there."""
    list_number: int
    """The field number of the type's list."""


def _element(stored: str, field: str) -> ElementType:
    return ElementType(np.dtype(stored), TensorProto.DESCRIPTOR.fields_by_name[field].number)


ELEMENTS: dict[DataType, ElementType] = {
    types_pb2.DT_FLOAT: _element("<f4", "float_val"),
    types_pb2.DT_DOUBLE: _element("<f8", "double_val"),
    types_pb2.DT_HALF: _element("<f2", "half_val"),
    # numpy has no bfloat16: its bits are the upper half of a float32.
    types_pb2.DT_BFLOAT16: _element("<u2", "half_val"),
    types_pb2.DT_INT8: _element("i1", "int_val"),
    types_pb2.DT_INT16: _element("<i2", "int_val"),
    types_pb2.DT_INT32: _element("<i4", "int_val"),
    types_pb2.DT_INT64: _element("<i8", "int64_val"),
    types_pb2.DT_UINT8: _element("u1", "int_val"),
    types_pb2.DT_UINT16: _element("<u2", "int_val"),
    types_pb2.DT_UINT32: _element("<u4", "uint32_val"),
    types_pb2.DT_UINT64: _element("<u8", "uint64_val"),
    types_pb2.DT_BOOL: _element("?", "bool_val"),
    types_pb2.DT_STRING: _element("O", "string_val"),
}

DATA_TYPES = {element.stored: number for number, element in ELEMENTS.items() if number != types_pb2.DT_BFLOAT16}
"""TensorFlow's type of each numpy type."""


def numpy_type(data_type: DataType) -> np.dtype[Any] | None:
    """Return the numpy type of a TensorFlow type; object for strings, None where the proxy has none."""
    if data_type == types_pb2.DT_BFLOAT16:
        return np.dtype("<f4")
    element = ELEMENTS.get(data_type)
    return element.stored if element else None


def type_name(data_type: DataType) -> str:
    """Return TensorFlow's name of a type, such as DT_FLOAT."""
    names = DataType.items()
    return next((name for name, number in names if number == data_type), f"type {data_type}")
