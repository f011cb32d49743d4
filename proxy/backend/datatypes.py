"""Datatypes: the Open Inference Protocol's names of TensorFlow's types."""

from __future__ import annotations

from protos.stubs.tensorflow.core.framework import types_pb2
from protos.stubs.tensorflow.core.framework.types_pb2 import DataType
from proxy.wire.tensors import type_name

_DATATYPES: dict[DataType, str] = {
    types_pb2.DT_BOOL: "BOOL",
    types_pb2.DT_UINT8: "UINT8",
    types_pb2.DT_UINT16: "UINT16",
    types_pb2.DT_UINT32: "UINT32",
    types_pb2.DT_UINT64: "UINT64",
    types_pb2.DT_INT8: "INT8",
    types_pb2.DT_INT16: "INT16",
    types_pb2.DT_INT32: "INT32",
    types_pb2.DT_INT64: "INT64",
    types_pb2.DT_HALF: "FP16",
    types_pb2.DT_FLOAT: "FP32",
    types_pb2.DT_DOUBLE: "FP64",
    types_pb2.DT_BFLOAT16: "BF16",
    types_pb2.DT_STRING: "BYTES",
}


def datatype(data_type: DataType) -> str:
    """Return the protocol's name of a type; TensorFlow's own where it has none."""
    return _DATATYPES.get(data_type, type_name(data_type))
