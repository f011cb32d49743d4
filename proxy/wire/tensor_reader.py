"""Reading tensors: numpy views into the bytes of an answer, where the format allows."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from protos.stubs.tensorflow.core.framework import types_pb2
from protos.stubs.tensorflow.core.framework.tensor_pb2 import TensorProto
from protos.stubs.tensorflow.core.framework.tensor_shape_pb2 import TensorShapeProto
from protos.stubs.tensorflow.core.framework.types_pb2 import DataType
from proxy.errors import AnswerInvalid
from proxy.wire.fields import BYTES, FIXED32, FIXED64, VARINT, Malformed, Span, read_text, read_varint, signed, walk
from proxy.wire.tensors import ELEMENTS, FIXED_LISTS, STRING_LIST, VARINT_LISTS, ElementType, type_name
from proxy.wire.varints import check_varints, decode_varints

Array = NDArray[Any]

MAX_TENSOR_BYTES = 512 * 1024 * 1024
"""The largest tensor read from an answer; a few bytes on the wire may ask for a repeated value of any size."""

MAX_DIMENSIONS = 64
"""As many as numpy has."""

_MESSAGE_LISTS = (TensorProto.RESOURCE_HANDLE_VAL_FIELD_NUMBER, TensorProto.VARIANT_VAL_FIELD_NUMBER)


@dataclass(slots=True)
class TensorSpans:
    """Hold where the parts of one tensor stand in the bytes of an answer."""

    data_type: int = 0
    sizes: list[int] = field(default_factory=list[int])
    unknown_rank: bool = False
    content: Span = (0, 0)
    lists: dict[int, list[Span]] = field(default_factory=dict[int, list[Span]])
    """By field number. A list may come in several chunks, or with a tag before each value; the bytes of its values,
    put together, are the same."""

    def merge(self, data: bytes, start: int, end: int) -> None:
        """Find the parts in a TensorProto, and add them to those found before in the same message.

        Raises:
            Malformed: The bytes are no TensorProto.
        """
        for number, kind, begin, stop in walk(data, start, end):
            if kind == BYTES and number == TensorProto.TENSOR_CONTENT_FIELD_NUMBER:
                self.content = begin, stop
            elif kind == BYTES and number == TensorProto.TENSOR_SHAPE_FIELD_NUMBER:
                self._merge_shape(data, begin, stop)
            elif kind == VARINT and number == TensorProto.DTYPE_FIELD_NUMBER:
                self.data_type = signed(read_varint(data, begin, stop)[0], 32)
            elif kind == BYTES and number in _MESSAGE_LISTS:
                raise Malformed(f"a handle or a variant, which have no values to show, at byte {begin}")
            elif _is_listed(number, kind):
                _check_chunk(data, number, kind, begin, stop)
                self.lists.setdefault(number, []).append((begin, stop))

    def _merge_shape(self, data: bytes, start: int, end: int) -> None:
        for number, kind, begin, stop in walk(data, start, end):
            if kind == BYTES and number == TensorShapeProto.DIM_FIELD_NUMBER:
                self.sizes.append(_read_size(data, begin, stop))
            elif kind == VARINT and number == TensorShapeProto.UNKNOWN_RANK_FIELD_NUMBER:
                self.unknown_rank = read_varint(data, begin, stop)[0] != 0


def read_tensor(spans: TensorSpans, data: bytes, name: str) -> Array:
    """Read a tensor as an array.

    `tensor_content`, `float_val` and `double_val` become read-only views without a copy, which may be unaligned: the
    values stand wherever the message has put them. Lists in several chunks are copied.

    Args:
        spans: Where the tensor's parts are.
        data: The bytes of the answer.
        name: The tensor's name, for messages.

    Returns:
        An array of the tensor's shape; strings as objects of bytes, bfloat16 as float32.

    Raises:
        AnswerInvalid: A type the proxy has not, a shape that is no shape, or values that do not fill it.
    """
    data_type = cast(DataType, spans.data_type)
    element = ELEMENTS.get(data_type)
    if element is None:
        raise _invalid(name, f"values of type {type_name(data_type)}", "The proxy cannot show this type")
    shape = _shape(spans, name, element.stored.itemsize)
    begin, end = spans.content
    values = _content(spans, data, element, name) if end > begin else _listed(spans, data, element)
    array = _filled(values, shape, name).reshape(shape)
    return _widened(array) if data_type == types_pb2.DT_BFLOAT16 else array


def _is_listed(number: int, kind: int) -> bool:
    """Say whether a field is a part of a list; a field of another wire type than its list's is an unknown one."""
    if number in VARINT_LISTS:
        return kind in (BYTES, VARINT)
    if number in FIXED_LISTS:
        return kind in (BYTES, FIXED32 if FIXED_LISTS[number] == 4 else FIXED64)
    return number == STRING_LIST and kind == BYTES


def _check_chunk(data: bytes, number: int, kind: int, begin: int, stop: int) -> None:
    """Check that a chunk holds whole numbers; also of lists that are not read, so that nonsense is never taken."""
    if kind != BYTES or number == STRING_LIST:
        return
    if number in VARINT_LISTS:
        check_varints(np.frombuffer(data, np.uint8, stop - begin, begin))
    elif (stop - begin) % FIXED_LISTS[number]:
        raise Malformed(f"a list of numbers that ends within one, at byte {begin}")


def _read_size(data: bytes, start: int, end: int) -> int:
    """Read one dimension of a shape."""
    size = 0
    for number, kind, begin, stop in walk(data, start, end):
        if kind == VARINT and number == TensorShapeProto.Dim.SIZE_FIELD_NUMBER:
            size = signed(read_varint(data, begin, stop)[0], 64)
        elif kind == BYTES and number == TensorShapeProto.Dim.NAME_FIELD_NUMBER:
            read_text(data, begin, stop)
    return size


def _shape(spans: TensorSpans, name: str, item_bytes: int) -> tuple[int, ...]:
    shape = tuple(spans.sizes)
    if len(shape) > MAX_DIMENSIONS:
        raise _invalid(name, f"{len(shape)} dimensions", f"The proxy holds at most {MAX_DIMENSIONS}")
    if spans.unknown_rank or any(size < 0 for size in shape):
        raise _invalid(name, f"the shape {list(shape)}", "An answer has a shape with all its sizes")
    # numpy refuses sizes that are too large also where another one is zero.
    if math.prod(size for size in shape if size) * item_bytes > MAX_TENSOR_BYTES:
        raise _invalid(name, f"the shape {list(shape)}", f"That is more than {MAX_TENSOR_BYTES} bytes of memory")
    return shape


def _content(spans: TensorSpans, data: bytes, element: ElementType, name: str) -> Array:
    begin, end = spans.content
    if element.stored.hasobject or (end - begin) % element.stored.itemsize:
        found = f"{end - begin} bytes of content for values of type {type_name(cast(DataType, spans.data_type))}"
        raise _invalid(name, found, "They cannot be cut into values")
    return np.frombuffer(data, element.stored, (end - begin) // element.stored.itemsize, begin)


def _listed(spans: TensorSpans, data: bytes, element: ElementType) -> Array:
    """Read the list of values that belongs to the tensor's type."""
    chunks = spans.lists.get(element.list_number, [])
    if element.list_number == STRING_LIST:
        return np.fromiter((data[begin:end] for begin, end in chunks), object, len(chunks))
    packed = _joined(data, chunks)
    if element.list_number in FIXED_LISTS:
        return packed.view(element.stored)
    numbers = decode_varints(packed)
    if element.list_number == TensorProto.HALF_VAL_FIELD_NUMBER:
        return numbers.astype("<u2").view(element.stored)
    # Values beyond their type are cut to its bits, as TensorFlow does; a boolean is whether there is any bit.
    return numbers.astype(element.stored)


def _joined(data: bytes, chunks: list[Span]) -> NDArray[np.uint8]:
    """Return the bytes of a list: a view when they stand together."""
    if len(chunks) == 1:
        (begin, end), *_ = chunks
        return np.frombuffer(data, np.uint8, end - begin, begin)
    return np.frombuffer(b"".join(_slices(memoryview(data), chunks)), np.uint8)


def _slices(data: memoryview, chunks: list[Span]) -> Iterable[memoryview]:
    return (data[begin:end] for begin, end in chunks)


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
