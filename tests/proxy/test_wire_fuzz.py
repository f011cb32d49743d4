"""Answers read from the wire by hand against the generated parser: the same values, the same refusals."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.message import DecodeError, Message

from protos.stubs.tensorflow.core.framework.tensor_pb2 import TensorProto
from protos.stubs.tensorflow_serving.apis import predict_pb2
from protos.stubs.tensorflow_serving.apis.predict_pb2 import PredictResponse
from proxy.errors import AnswerInvalid
from proxy.wire.predictions import read_predict_response
from tests.proxy import wire_messages

MESSAGES = 1500
DAMAGED = 5000

# Data type: the list of its values, its numpy type, and the unsigned one of the bits kept of a number in the list.
TYPES = {
    1: ("float_val", "<f4", None),
    2: ("double_val", "<f8", None),
    3: ("int_val", "<i4", "<u4"),
    4: ("int_val", "u1", "u1"),
    5: ("int_val", "<i2", "<u2"),
    6: ("int_val", "i1", "u1"),
    7: ("string_val", "O", None),
    9: ("int64_val", "<i8", "<u8"),
    10: ("bool_val", "?", None),
    14: ("half_val", "<f4", "<u2"),
    17: ("int_val", "<u2", "<u2"),
    19: ("half_val", "<f2", "<u2"),
    22: ("uint32_val", "<u4", "<u4"),
    23: ("uint64_val", "<u8", "<u8"),
}

# What the reader refuses although the generated parser takes it, by a word of the message.
STRICTER = ("a handle or a variant", "groups inside each other")


Outputs = dict[str, tuple[str, tuple[int, ...], bytes | list[bytes]]]


class Refused(Exception):
    """The answer cannot be shown, though it may be a message."""


def _add(pool: descriptor_pool.DescriptorPool, file: FileDescriptor, added: set[str]) -> None:
    for needed in file.dependencies:
        _add(pool, needed, added)
    if file.name not in added:
        added.add(file.name)
        definition = descriptor_pb2.FileDescriptorProto.FromString(file.serialized_pb)
        for message in definition.message_type:
            for nested in message.nested_type:
                nested.options.ClearField("map_entry")
        pool.AddSerializedFile(definition.SerializeToString())


def _without_maps() -> type[Message]:
    """Make the class of an answer whose map is a list of entries, which is the same on the wire.

    protobuf for Python loses an entry of a map that has unknown fields; its C++ twin, and so TensorFlow, does not.
    """
    pool = descriptor_pool.DescriptorPool()
    _add(pool, predict_pb2.DESCRIPTOR, set())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(PredictResponse.DESCRIPTOR.full_name))


EntriesResponse: Any = _without_maps()


def expected(data: bytes) -> tuple[int, str, Outputs]:
    """Read an answer by the generated parser, value by value."""
    try:
        PredictResponse.FromString(data)
        message = EntriesResponse.FromString(data)
    except DecodeError as error:
        raise Refused from error
    tensors = {entry.key: entry.value for entry in message.outputs}
    outputs = {name: _expected_tensor(tensor) for name, tensor in tensors.items()}
    return message.model_spec.version.value, message.model_spec.signature_name, outputs


def _expected_tensor(tensor: TensorProto) -> tuple[str, tuple[int, ...], bytes | list[bytes]]:
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    if tensor.dtype not in TYPES or tensor.tensor_shape.unknown_rank or any(size < 0 for size in shape):
        raise Refused
    field, dtype, bits = TYPES[tensor.dtype]
    stored = "<u2" if tensor.dtype == 14 else dtype
    width = np.dtype(stored).itemsize
    if len(shape) > 64 or math.prod(size or 1 for size in shape) * width > 512 * 2**20:
        raise Refused
    if tensor.tensor_content:
        if stored == "O" or len(tensor.tensor_content) % width:
            raise Refused
        items = [tensor.tensor_content[at : at + width] for at in range(0, len(tensor.tensor_content), width)]
    elif stored == "O":
        items = list(tensor.string_val)
    else:
        items = [_item(value, stored, bits) for value in getattr(tensor, field)]
    items = _padded(items, math.prod(shape))
    if stored == "O":
        return "O", shape, items
    if tensor.dtype == 14:
        items = [b"\0\0" + item for item in items]
    return dtype, shape, _quiet(b"".join(items), dtype)


def _item(value: Any, stored: str, bits: str | None) -> bytes:
    if bits is None:
        return np.array(value, stored).tobytes()
    size = np.dtype(bits).itemsize
    return (value & (1 << 8 * size) - 1).to_bytes(size, "little")


def _padded(items: list[bytes], wanted: int) -> list[bytes]:
    if len(items) > wanted or (wanted and not items):
        raise Refused
    return items + items[-1:] * (wanted - len(items))


def actual(data: bytes) -> tuple[int, str, Outputs]:
    """Read an answer as the proxy does, in the same terms."""
    prediction = read_predict_response(data)
    outputs = {}
    for name, array in prediction.outputs.items():
        if array.dtype.hasobject:
            outputs[name] = "O", array.shape, array.ravel().tolist()
        else:
            dtype = _type_text(array.dtype)
            outputs[name] = dtype, array.shape, _quiet(array.tobytes(), dtype)
    return prediction.version, prediction.signature, outputs


def _quiet(values: bytes, dtype: str) -> bytes:
    """Make each NaN a quiet one, as it becomes on its way through a float of Python's."""
    if dtype != "<f4":
        return values
    bits = np.frombuffer(values, np.uint32)
    return np.where(bits & 0x7FFFFFFF > 0x7F800000, bits | 0x400000, bits).tobytes()


def _type_text(dtype: np.dtype) -> str:
    return next(text for text in ("?", "u1", "i1", *(f"<{k}{n}" for k in "iuf" for n in (2, 4, 8))) if dtype == text)


def test_an_answer_is_read_in_whatever_way_it_is_written() -> None:
    rng = random.Random(4)
    shown = refused = 0
    for _ in range(MESSAGES):
        data = wire_messages.response(rng)
        PredictResponse.FromString(data)
        try:
            wanted = expected(data)
        except Refused:
            refused += 1
            with pytest.raises(AnswerInvalid):
                read_predict_response(data)
        else:
            shown += 1
            assert actual(data) == wanted, data.hex()
    assert shown > MESSAGES / 2
    assert refused > MESSAGES / 50


def test_a_damaged_answer_is_refused_or_read_as_the_generated_parser_reads_it() -> None:
    rng = random.Random(5)
    shown = refused = 0
    for _ in range(DAMAGED):
        data = wire_messages.damaged(wire_messages.response(rng), rng)
        try:
            found = actual(data)
        except AnswerInvalid as error:
            refused += 1
            if not any(reason in error.found for reason in STRICTER):
                with pytest.raises(Refused):
                    expected(data)
        else:
            shown += 1
            assert found == expected(data), data.hex()
    assert min(shown, refused) > DAMAGED / 20


def test_random_bytes_are_refused_or_read_as_the_generated_parser_reads_them() -> None:
    rng = random.Random(6)
    for _ in range(DAMAGED):
        data = rng.randbytes(rng.randrange(12))
        try:
            found = actual(data)
        except AnswerInvalid as error:
            assert error.status == 502
        else:
            assert found == expected(data), data.hex()
