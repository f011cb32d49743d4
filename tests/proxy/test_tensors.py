"""Tensors: the wire's forms against TensorFlow's rules, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from protos.stubs.tensorflow.core.framework import types_pb2
from protos.stubs.tensorflow.core.framework.tensor_pb2 import TensorProto
from proxy.errors import AnswerInvalid
from proxy.wire.tensor_reader import TensorSpans, read_tensor
from proxy.wire.tensor_writer import write_tensor
from proxy.wire.tensors import numpy_type, type_name

NUMBERS = ["f4", "f8", "f2", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"]


def array_to_tensor(array: np.ndarray) -> TensorProto:
    """Write an array as a message of its own."""
    return TensorProto.FromString(b"".join(write_tensor(array)))


def tensor_to_array(message: TensorProto, name: str) -> np.ndarray:
    """Read an array out of a message."""
    data = message.SerializeToString()
    spans = TensorSpans()
    spans.merge(data, 0, len(data))
    return read_tensor(spans, data, name)


def tensor(data_type: str, shape: list[int], **values: Any) -> TensorProto:
    """Make a TensorProto."""
    message = TensorProto(dtype=getattr(types_pb2, data_type), **values)
    for size in shape:
        message.tensor_shape.dim.add(size=size)
    return message


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 0, 3), (1, 2, 3, 4)])
def test_arrays_come_back_as_they_went(dtype: str, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    message = array_to_tensor(array)
    if array.size:
        back = tensor_to_array(message, "x")
        assert back.dtype == array.dtype
        assert back.shape == shape
        assert np.array_equal(back, array)
    else:
        assert tensor_to_array(message, "x").shape == shape


def test_arrays_that_are_not_contiguous_or_big_endian_are_written_in_order() -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert array_to_tensor(array.T).tensor_content == np.ascontiguousarray(array.T).tobytes()


@pytest.mark.parametrize("field", ["tensor_content", "float_val"])
def test_content_and_floats_are_read_without_a_copy(field: str) -> None:
    values = np.arange(10, dtype=np.float32)
    data = tensor(
        "DT_FLOAT", [2, 5], **{field: values.tobytes() if field == "tensor_content" else values}
    ).SerializeToString()
    spans = TensorSpans()
    spans.merge(data, 0, len(data))
    array = read_tensor(spans, data, "x")
    assert np.shares_memory(array, np.frombuffer(data, np.uint8))
    assert not array.flags.writeable
    assert np.array_equal(array, values.reshape(2, 5))


@pytest.mark.parametrize(
    ("data_type", "field", "values", "expected"),
    [
        ("DT_FLOAT", "float_val", [1.5, -2.0, 3.0], np.float32([1.5, -2, 3])),
        ("DT_DOUBLE", "double_val", [1.5, -2.0, 1e300], np.float64([1.5, -2, 1e300])),
        ("DT_INT32", "int_val", [1, -2, 3], np.int32([1, -2, 3])),
        ("DT_INT16", "int_val", [1, -2, 3], np.int16([1, -2, 3])),
        ("DT_INT8", "int_val", [1, -2, 3], np.int8([1, -2, 3])),
        ("DT_UINT8", "int_val", [1, 2, 255], np.uint8([1, 2, 255])),
        ("DT_UINT8", "int_val", [-1, 256, 255], np.uint8([255, 0, 255])),
        ("DT_UINT16", "int_val", [1, 2, 65535], np.uint16([1, 2, 65535])),
        ("DT_UINT32", "uint32_val", [1, 2, 2**32 - 1], np.uint32([1, 2, 2**32 - 1])),
        ("DT_INT64", "int64_val", [1, -2, 2**62], np.int64([1, -2, 2**62])),
        ("DT_UINT64", "uint64_val", [1, 2, 2**64 - 1], np.uint64([1, 2, 2**64 - 1])),
        ("DT_BOOL", "bool_val", [True, False, True], np.array([True, False, True])),
        ("DT_HALF", "half_val", [0x3C00, 0xC000, 0x4200], np.float16([1, -2, 3])),
        ("DT_BFLOAT16", "half_val", [0x3F80, 0xC000, 0x4040], np.float32([1, -2, 3])),
        ("DT_STRING", "string_val", [b"one", b"", b"\xff"], np.array([b"one", b"", b"\xff"], object)),
    ],
)
def test_lists_are_read_by_type(data_type: str, field: str, values: list[Any], expected: np.ndarray) -> None:
    array = tensor_to_array(tensor(data_type, [3], **{field: values}), "x")
    assert array.dtype == expected.dtype
    assert array.tolist() == expected.tolist()


def test_a_list_of_floats_is_read_whatever_else_the_message_holds() -> None:
    message = tensor("DT_FLOAT", [1000], version_number=3, float_val=list(range(1000)), int_val=[1, 2])
    # Field 1000, unknown to the definition, as a newer server might send it.
    message.MergeFromString(b"\xc2\x3e\x03abc")
    assert np.array_equal(tensor_to_array(message, "x"), np.arange(1000, dtype=np.float32))


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (tensor("DT_FLOAT", [4], float_val=[1, 2]), [1, 2, 2, 2]),
        (tensor("DT_FLOAT", [2, 2], float_val=[7]), [[7, 7], [7, 7]]),
        (tensor("DT_INT32", [3], int_val=[5]), [5, 5, 5]),
        (tensor("DT_STRING", [3], string_val=[b"a", b"b"]), [b"a", b"b", b"b"]),
        (tensor("DT_FLOAT", [3], tensor_content=b"\x00\x00\x80\x3f"), [1, 1, 1]),
        (tensor("DT_FLOAT", [], float_val=[7]), 7),
    ],
)
def test_the_last_value_is_repeated(message: TensorProto, expected: Any) -> None:
    assert tensor_to_array(message, "x").tolist() == expected


@pytest.mark.parametrize(
    ("message", "found"),
    [
        (tensor("DT_FLOAT", [2], float_val=[1, 2, 3]), "3 values for the shape [2]"),
        (tensor("DT_FLOAT", [2]), "0 values for the shape [2]"),
        (tensor("DT_FLOAT", [2], tensor_content=b"12345"), "5 bytes of content for values of type DT_FLOAT"),
        (tensor("DT_STRING", [2], tensor_content=b"1234"), "4 bytes of content for values of type DT_STRING"),
        (tensor("DT_FLOAT", [-1], float_val=[1]), "the shape [-1]"),
        (tensor("DT_FLOAT", [10**6, 10**6], float_val=[1]), "the shape [1000000, 1000000]"),
        (tensor("DT_FLOAT", [0, 2**62], float_val=[]), "the shape [0, 4611686018427387904]"),
        (tensor("DT_FLOAT", [1] * 65, float_val=[1]), "65 dimensions"),
        (tensor("DT_COMPLEX64", [1], scomplex_val=[1, 2]), "values of type DT_COMPLEX64"),
        (TensorProto(dtype=77), "values of type type 77"),
    ],
)
def test_what_cannot_be_read_is_refused(message: TensorProto, found: str) -> None:
    with pytest.raises(AnswerInvalid) as refusal:
        tensor_to_array(message, "scores")
    assert refusal.value.where == "answer of the model server > output 'scores'"
    assert refusal.value.found == found


def test_types_have_tensorflows_names() -> None:
    assert type_name(types_pb2.DT_FLOAT) == "DT_FLOAT"
    assert numpy_type(types_pb2.DT_RESOURCE) is None
