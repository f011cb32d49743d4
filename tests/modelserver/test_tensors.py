"""TensorProto to numpy and back."""

from __future__ import annotations

import numpy as np
import pytest

from modelserver import tensors
from modelserver.errors import InvalidArgument, RequestError, Unimplemented
from protos.stubs.tensorflow.core.framework import types_pb2 as types
from protos.stubs.tensorflow.core.framework.tensor_pb2 import TensorProto

NUMERIC = sorted(tensors.ELEMENTS)


def proto(data_type: int, shape: list[int], **values: object) -> TensorProto:
    """Make a tensor."""
    tensor = TensorProto(dtype=data_type, **values)
    for size in shape:
        tensor.tensor_shape.dim.add(size=size)
    return tensor


@pytest.mark.parametrize("as_content", [True, False])
@pytest.mark.parametrize("data_type", NUMERIC, ids=types.DataType.Name)
def test_every_type_survives_both_forms(data_type: int, as_content: bool) -> None:
    dtype = tensors.ELEMENTS[data_type].dtype
    values = np.random.default_rng(1).integers(0, 100, (2, 3)).astype(dtype)
    if dtype.kind == "c":
        values = values + 1j * values[::-1].astype(dtype)
    tensor = TensorProto()
    tensors.to_proto(values, tensor, as_content=as_content)
    assert tensor.dtype == data_type
    assert bool(tensor.tensor_content) == as_content
    back = tensors.from_proto(TensorProto.FromString(tensor.SerializeToString()))
    assert back.dtype == dtype
    np.testing.assert_array_equal(back, values)


@pytest.mark.parametrize("data_type", NUMERIC, ids=types.DataType.Name)
def test_a_short_list_repeats_its_last_element_and_an_empty_one_is_zeros(data_type: int) -> None:
    element = tensors.ELEMENTS[data_type]
    one = TensorProto()
    tensors.to_proto(np.ones((1,), element.dtype), one, as_content=False)
    one.tensor_shape.dim[0].size = 3
    np.testing.assert_array_equal(tensors.from_proto(one), np.ones(3, element.dtype))
    np.testing.assert_array_equal(tensors.from_proto(proto(data_type, [2, 2])), np.zeros((2, 2), element.dtype))


def test_raw_bytes_are_not_copied() -> None:
    content = np.arange(4, dtype=np.float32).tobytes()
    tensor = proto(types.DT_FLOAT, [4], tensor_content=content)
    array = tensors.from_proto(tensor)
    assert not array.flags.owndata
    assert not array.flags.writeable


@pytest.mark.parametrize("shape", [[], [0], [3, 0, 2]])
def test_scalars_and_empty_tensors(shape: list[int]) -> None:
    values = np.ones(shape, np.int64)
    tensor = TensorProto()
    tensors.to_proto(values, tensor)
    np.testing.assert_array_equal(tensors.from_proto(tensor), values)


def test_strings() -> None:
    tensor = proto(types.DT_STRING, [2, 2], string_val=[b"a", b"\xff\x00", b"c"])
    array = tensors.from_proto(tensor)
    assert array.tolist() == [[b"a", b"\xff\x00"], [b"c", b"c"]]
    back = TensorProto()
    tensors.to_proto(array, back)
    assert list(back.string_val) == [b"a", b"\xff\x00", b"c", b"c"]
    assert back.dtype == types.DT_STRING
    assert tensors.from_proto(proto(types.DT_STRING, [0])).shape == (0,)
    assert tensors.from_proto(proto(types.DT_STRING, [])).tolist() == b""


def test_arrays_that_are_not_contiguous_are_written_in_order() -> None:
    values = np.arange(6, dtype=">f4").reshape(2, 3).T
    tensor = TensorProto()
    tensors.to_proto(values, tensor)
    np.testing.assert_array_equal(tensors.from_proto(tensor), values)


@pytest.mark.parametrize(
    ("tensor", "kind", "text"),
    [
        (
            proto(types.DT_FLOAT, [2], tensor_content=b"1234"),
            InvalidArgument,
            "tensor_content has 4 bytes, and shape [2] of float32 needs 8",
        ),
        (proto(types.DT_FLOAT, [-1]), InvalidArgument, "Shape [-1] of a tensor has unknown sizes"),
        (
            proto(types.DT_FLOAT, [2**40]),
            InvalidArgument,
            "A tensor of shape [1099511627776] is larger than 2 GiB, the largest message",
        ),
        (
            proto(types.DT_STRING, [2**40]),
            InvalidArgument,
            "A tensor of shape [1099511627776] is larger than 2 GiB, the largest message",
        ),
        (
            proto(types.DT_HALF, [1], half_val=[70000]),
            InvalidArgument,
            "A value of half_val is out of range",
        ),
        (
            proto(types.DT_BFLOAT16, [1]),
            Unimplemented,
            "Tensors of type bfloat16 are not supported by this server",
        ),
        (
            proto(types.DT_STRING, [1], tensor_content=b"\x01a"),
            Unimplemented,
            "Strings in tensor_content are not supported by this server; send them in string_val",
        ),
    ],
)
def test_tensors_that_make_no_sense_are_refused(tensor: TensorProto, kind: type[RequestError], text: str) -> None:
    with pytest.raises(kind) as caught:
        tensors.from_proto(tensor)
    assert caught.value.message.startswith(text)


def test_an_element_type_that_no_message_carries_is_refused() -> None:
    with pytest.raises(Unimplemented, match="elements of type datetime64"):
        tensors.to_proto(np.array(["2026-01-01"], "datetime64[D]"), TensorProto())
