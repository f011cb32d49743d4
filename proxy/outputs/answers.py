"""Answers: tensors as the bytes of JSON documents.

The forms are those of TensorFlow Serving's REST API (tensorflow_serving/util/json_tensor.cc) without its white space.
JSON has no NaN and no infinity: both become null.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import numpy as np
import orjson
from numpy.typing import NDArray

from proxy.errors import InvalidTensor
from proxy.inputs.json_tensors import Form
from proxy.outputs.rounding import round_to

Array = NDArray[Any]

# TensorFlow Serving's mark of outputs whose strings are bytes, and no text.
_BYTES_SUFFIX = "_bytes"


def write_json(document: object) -> bytes:
    """Write a document that may hold numpy arrays."""
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)


def outputs_answer(model: str, version: int, outputs: Mapping[str, Array], decimals: int | None = None) -> bytes:
    """Write the plain tensors that came out for a picture."""
    return write_json({"model": model, "version": str(version), "outputs": jsonable_outputs(outputs, decimals)})


def jsonable_outputs(outputs: Mapping[str, Array], decimals: int | None = None) -> dict[str, Any]:
    """Return tensors by name, as `write_json` writes them."""
    return {name: jsonable(name, array, decimals) for name, array in outputs.items()}


def tensors_answer(outputs: Mapping[str, Array], form: Form, decimals: int | None = None) -> bytes:
    """Write tensors as TensorFlow Serving's REST API does: `predictions` by rows or `outputs` by columns.

    A single output stands without its name.

    Args:
        outputs: By name.
        form: The form of the request.
        decimals: How many of a number's decimals are written; None for all that it has.

    Raises:
        InvalidTensor: The row form is asked for and the outputs differ in their number of rows.
    """
    if form == "row":
        return write_json({"predictions": _rows(outputs, decimals)})
    columns = jsonable_outputs(outputs, decimals)
    return write_json({"outputs": columns if len(columns) != 1 else next(iter(columns.values()))})


def jsonable(name: str, array: Array, decimals: int | None = None) -> Any:
    """Return what `write_json` can write: contiguous numbers as they are, bytes as texts or base64."""
    if array.dtype.hasobject:
        return _mapped(array.tolist(), _base64 if name.endswith(_BYTES_SUFFIX) else _text)
    plain = round_to(array, decimals)
    # orjson writes no array without a dimension, but its only value.
    return np.ascontiguousarray(plain) if array.ndim else plain[()]


def _rows(outputs: Mapping[str, Array], decimals: int | None) -> object:
    counts = {array.shape[0] if array.ndim else None for array in outputs.values()}
    if len(counts) != 1 or None in counts:
        shapes = ", ".join(f"{name!r} {list(array.shape)}" for name, array in sorted(outputs.items()))
        raise InvalidTensor(
            where="answer of the model server",
            found=f"outputs with different numbers of rows: {shapes or '(none)'}",
            reason="They cannot be dealt out to the instances of the request",
            remedy='Ask in the column form: {"inputs": ...}',
        )
    columns = jsonable_outputs(outputs, decimals)
    if len(columns) == 1:
        return next(iter(columns.values()))
    names = tuple(columns)
    return list(map(partial(_named_row, names), *columns.values()))


def _named_row(names: tuple[str, ...], *values: Any) -> dict[str, Any]:
    return dict(zip(names, values, strict=True))


def _mapped(values: Any, change: Any) -> Any:
    if isinstance(values, list):
        return [_mapped(value, change) for value in cast("list[Any]", values)]
    return change(values)


def _text(value: bytes) -> Any:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return _base64(value)


def _base64(value: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(value).decode()}
