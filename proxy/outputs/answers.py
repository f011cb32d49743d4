"""Answers: results and errors as the bytes of JSON documents.

JSON has no NaN and no infinity: both become null.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from proxy.card import ModelCard
from proxy.decoders.results import Classifications, Detections
from proxy.errors import InvalidTensor, ProxyError
from proxy.inputs.json_tensors import Form
from proxy.pictures.frame import Frame

Array = NDArray[Any]


def write_json(document: object) -> bytes:
    """Write a document that may hold numpy arrays."""
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)


def detections_answer(model: str, version: int, found: Detections, frame: Frame, card: ModelCard) -> bytes:
    """Write detections, with boxes in pixels of the source picture; boxes wholly outside of it are left out."""
    boxes = frame.boxes_to_source(found.boxes)
    visible = np.flatnonzero((boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1]))
    detections = [
        {**_scored_label(card, int(found.classes[row]), found.scores[row]), "box": boxes[row]} for row in visible
    ]
    image = {"width": frame.source_width, "height": frame.source_height}
    return write_json({"model": model, "version": str(version), "detections": detections, "image": image})


def classifications_answer(model: str, version: int, found: Classifications, card: ModelCard) -> bytes:
    """Write the likeliest classes."""
    pairs = zip(found.classes, found.scores, strict=True)
    classifications = [_scored_label(card, int(number), score) for number, score in pairs]
    return write_json({"model": model, "version": str(version), "classifications": classifications})


def outputs_answer(model: str, version: int, outputs: Mapping[str, Array]) -> bytes:
    """Write the plain tensors that came out for a picture."""
    named = {name: _jsonable(array) for name, array in outputs.items()}
    return write_json({"model": model, "version": str(version), "outputs": named})


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


def error_answer(error: ProxyError, request_id: str) -> bytes:
    """Write an error; its text stands under `error`, where clients of TensorFlow Serving look for it."""
    content = {"error": error.message, "status": error.status, "code": error.code, "request_id": request_id}
    return write_json(content)


def _scored_label(card: ModelCard, number: int, score: np.float32) -> dict[str, Any]:
    return {"label": card.label(number), "class": number, "score": score}


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
