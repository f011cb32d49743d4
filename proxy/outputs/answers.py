"""Answers: tensors as the bytes of JSON documents.

JSON has no NaN and no infinity: both become null.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from proxy.errors import InvalidTensor
from proxy.inputs.json_tensors import Form

Array = NDArray[Any]


def write_json(document: object) -> bytes:
    """Write a document that may hold numpy arrays."""
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)


def outputs_answer(model: str, version: int, outputs: Mapping[str, Array]) -> bytes:
    """Write the plain tensors that came out for a picture."""
    return write_json({"model": model, "version": str(version), "outputs": jsonable_outputs(outputs)})


def jsonable_outputs(outputs: Mapping[str, Array]) -> dict[str, Any]:
    """Return tensors by name, as `write_json` writes them."""
    return {name: _jsonable(array) for name, array in outputs.items()}


def tensors_answer(outputs: Mapping[str, Array], form: Form) -> bytes:
    """Write tensors as TensorFlow Serving's REST API does: `predictions` by rows or `outputs` by columns.

    A single output stands without its name.

    Raises:
        InvalidTensor: The row form is asked for and the outputs differ in their number of rows.
    """
    if form == "row":
        return write_json({"predictions": _rows(outputs)})
    columns = {name: _jsonable(array) for name, array in outputs.items()}
    return write_json({"outputs": columns if len(columns) != 1 else next(iter(columns.values()))})


def _rows(outputs: Mapping[str, Array]) -> object:
    counts = {array.shape[0] if array.ndim else None for array in outputs.values()}
    if len(counts) != 1 or None in counts:
        shapes = ", ".join(f"{name!r} {list(array.shape)}" for name, array in sorted(outputs.items()))
        raise InvalidTensor(
            where="answer of the model server",
            found=f"outputs with different numbers of rows: {shapes or '(none)'}",
            reason="They cannot be dealt out to the instances of the request",
            remedy='Ask in the column form: {"inputs": ...}',
        )
    columns = {name: _jsonable(array) for name, array in outputs.items()}
    if len(columns) == 1:
        return next(iter(columns.values()))
    return [{name: column[row] for name, column in columns.items()} for row in range(counts.pop() or 0)]


def _jsonable(array: Array) -> Any:
    """Return what `write_json` can write: contiguous numbers as they are, bytes as texts or base64."""
    if not array.dtype.hasobject:
        return np.ascontiguousarray(array).reshape(array.shape)
    return _texts(array.tolist())


def _texts(values: Any) -> Any:
    if isinstance(values, list):
        return [_texts(value) for value in values]  # pyright: ignore[reportUnknownVariableType]
    try:
        return values.decode()
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(values).decode()}
