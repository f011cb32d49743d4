"""JSON values: nested lists, or the text of a list of numbers, to an array of a tensor's type and shape."""

from __future__ import annotations

import base64
import binascii
from typing import Any, TypeGuard, cast

import numpy as np
from numpy.typing import NDArray

from protos.stubs.tensorflow.core.framework import types_pb2
from proxy.backend.signatures import TensorSpec
from proxy.errors import InvalidTensor
from proxy.inputs.json_document import kind_of
from proxy.inputs.json_numbers import NotNumbers, NumberText
from proxy.inputs.narrowing import narrowed, takes
from proxy.wire.tensors import numpy_type, type_name

Array = NDArray[Any]


def read_values(values: Any, spec: TensorSpec) -> Array:
    """Turn values into an array of the input's type and shape.

    Args:
        values: A number, a text, nested lists of them, or a `NumberText`.
        spec: What the model takes.

    Raises:
        InvalidTensor: Values of another type or shape.
        NotNumbers: The values are a `NumberText` that cannot be read as such.
    """
    array = read_any_shape(values, spec)
    if not spec.takes_shape(array.shape):
        raise invalid_values(spec, f"shape {list(array.shape)}", f"The model takes shape {spec.shape_text}")
    return array


def read_any_shape(values: Any, spec: TensorSpec) -> Array:
    """Turn values into an array of the input's type, whatever its shape; see `read_values`."""
    return _strings(values, spec) if spec.data_type == types_pb2.DT_STRING else _numbers(values, spec)


def read_rows(rows: list[Any], spec: TensorSpec) -> Array:
    """Turn the values of several examples into one array; see `read_values`."""
    if not any(isinstance(row, NumberText) for row in rows):
        return read_values(rows, spec)
    wanted = _wanted(spec)
    try:
        array = np.stack([row.read(wanted) if isinstance(row, NumberText) else _numbers(row, spec) for row in rows])
    except ValueError as error:
        raise NotNumbers from error
    if not spec.takes_shape(array.shape):
        raise NotNumbers
    return array


def is_bytes(value: Any) -> TypeGuard[dict[str, str]]:
    """Say whether a value is an object that stands for bytes."""
    return isinstance(value, dict) and set(cast("dict[str, Any]", value)) == {"b64"} and isinstance(value["b64"], str)


def decode_bytes(text: str) -> bytes:
    """Read base64 as TensorFlow Serving does: with or without its padding, and with white space in it.

    Raises:
        binascii.Error: It is none.
        ValueError: It is no ASCII.
    """
    plain = "".join(text.split())
    return base64.b64decode(plain if "=" in plain else plain + "=" * (-len(plain) % 4), validate=True)


def invalid_values(spec: TensorSpec, found: str, reason: str) -> InvalidTensor:
    """Say what is wrong with the values of an input."""
    return InvalidTensor(
        where=f"JSON body > input {spec.name!r}",
        found=found,
        reason=reason,
        remedy=f"Send values of type {type_name(spec.data_type)} and shape {spec.shape_text}",
    )


def _wanted(spec: TensorSpec) -> np.dtype[Any]:
    wanted = numpy_type(spec.data_type)
    if wanted is None or wanted.hasobject or spec.data_type == types_pb2.DT_BFLOAT16:
        reason = f"The model takes values of type {type_name(spec.data_type)}, which the proxy cannot write from JSON"
        raise invalid_values(spec, "JSON values", reason)
    return wanted


def _numbers(values: Any, spec: TensorSpec) -> Array:
    wanted = _wanted(spec)
    if isinstance(values, NumberText):
        return values.read(wanted)
    array = _rectangle(values, wanted, spec)
    if array.size == 0:
        return array.astype(wanted)
    if not takes(wanted, array.dtype) or (array.dtype.kind != "b" and bool in _leaf_types(values)):
        found = f"values that are not all {'booleans' if wanted.kind == 'b' else 'numbers'}"
        breaks = array.dtype.kind == "f" and wanted.kind != "f"
        found = "numbers with a fraction, or so large that they have become one" if breaks else found
        raise invalid_values(spec, found, f"The model takes values of type {type_name(spec.data_type)}")
    fitting = narrowed(array, wanted)
    if fitting is None:
        raise invalid_values(spec, "a number out of range", f"{type_name(spec.data_type)} cannot hold it")
    return fitting


def _rectangle(values: Any, wanted: np.dtype[Any], spec: TensorSpec) -> Array:
    try:
        array = np.array(values)
        if wanted == np.uint64 and array.dtype.kind == "f" and _leaf_types(values) == {int}:
            # numpy sees a mix of int64 and uint64, and makes float64 of it.
            return np.array(values, wanted)
    except OverflowError as error:
        raise invalid_values(spec, "a number out of range", f"{type_name(spec.data_type)} cannot hold it") from error
    except ValueError as error:
        raise invalid_values(spec, "lists of different lengths or too deep", "A tensor is rectangular") from error
    return array


def _leaf_types(values: Any) -> set[type]:
    """Return the types of the values in lists; numpy takes true and false among numbers for 1 and 0."""
    if not isinstance(values, list):
        return {type(values)}
    types = set(map(type, cast("list[Any]", values)))
    return types if list not in types else set[type]().union(*map(_leaf_types, cast("list[Any]", values)))


def _strings(values: Any, spec: TensorSpec) -> Array:
    """Turn nested lists of texts and {"b64": ...} objects into an object array of bytes."""
    if isinstance(values, NumberText):
        raise NotNumbers
    shape: list[int] = []
    probe = values
    while isinstance(probe, list) and len(shape) < 32:
        shape.append(len(cast("list[Any]", probe)))
        probe = cast("Any", probe[0] if probe else None)
    flat: list[bytes] = []
    _flatten(values, shape, flat, spec)
    return np.fromiter(flat, object, len(flat)).reshape(shape)


def _flatten(values: Any, shape: list[int], into: list[bytes], spec: TensorSpec) -> None:
    if not shape:
        into.append(_bytes(values, spec))
        return
    if not isinstance(values, list) or len(cast("list[Any]", values)) != shape[0]:
        raise invalid_values(spec, "lists of different lengths", "A tensor is rectangular")
    for value in cast("list[Any]", values):
        _flatten(value, shape[1:], into, spec)


def _bytes(value: Any, spec: TensorSpec) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if not is_bytes(value):
        raise invalid_values(spec, f"a {kind_of(value)}", 'The model takes texts, or bytes as {"b64": "..."}')
    try:
        return decode_bytes(value["b64"])
    except (binascii.Error, ValueError) as error:
        raise invalid_values(spec, f"broken base64 ({error})", "The bytes cannot be read") from error
