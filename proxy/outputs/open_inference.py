"""Infer responses and metadata of the Open Inference Protocol (version 2); see `proxy.inputs.open_inference`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protos.stubs.tensorflow.core.framework import types_pb2
from proxy.backend.datatypes import datatype
from proxy.backend.signatures import DEFAULT_SIGNATURE, ModelDescription, TensorSpec
from proxy.errors import InvalidTensor
from proxy.inputs.open_inference import HEADER_LENGTH, InferRequest, RequestedOutput
from proxy.outputs.answer import Answer
from proxy.outputs.answers import write_json
from proxy.outputs.rounding import round_to
from proxy.outputs.top_classes import top_classes
from proxy.wire.predictions import Prediction
from proxy.wire.tensors import DATA_TYPES

Array = NDArray[Any]
Document = dict[str, Any]

BINARY = "application/octet-stream"
EXTENSIONS = ("binary_tensor_data", "classification")

_PLATFORM = "tensorflow_savedmodel"


@dataclass(frozen=True, slots=True)
class _Written:
    """Hold one output: its part of the JSON object, and its bytes behind the object."""

    described: Document
    content: bytes | memoryview = b""


def infer_answer(
    model: str, prediction: Prediction, request: InferRequest, labels: Sequence[str] = (), decimals: int | None = None
) -> Answer:
    """Write what a model answered to an infer request.

    Args:
        model: The model's name.
        prediction: With the outputs that the request asks for.
        request: Says which outputs come in which form.
        labels: Of the model's classes, for the classification extension.
        decimals: How many of a number's decimals JSON has; None for all. Binary tensors are not rounded.

    Raises:
        InvalidTensor: An output cannot be written in the form that is asked for.
    """
    wishes = request.outputs or dict.fromkeys(prediction.outputs, RequestedOutput(binary=request.binary))
    outputs = [
        _written(name, _wanted(name, prediction.outputs, wish, labels), wish, decimals) for name, wish in wishes.items()
    ]
    document: Document = {"model_name": model, "model_version": str(prediction.version)}
    if request.id is not None:
        document["id"] = request.id
    head = write_json({**document, "outputs": [output.described for output in outputs]})
    if not any(wish.binary for wish in wishes.values()):
        return Answer(head)
    body = b"".join([head, *(output.content for output in outputs)])
    return Answer(body, BINARY, {HEADER_LENGTH: str(len(head))})


def server_document(version: str) -> Document:
    """Return the metadata of the server."""
    return {"name": "kubevc", "version": version, "extensions": EXTENSIONS}


def model_document(model: str, versions: Sequence[int], description: ModelDescription) -> Document:
    """Return the metadata of a model: what its default signature takes and gives.

    Args:
        model: The model's name.
        versions: Those that can be asked for.
        description: The model's signatures.
    """
    signature = description.signatures.get(DEFAULT_SIGNATURE)
    return {
        "name": model,
        "versions": [str(version) for version in versions],
        "platform": _PLATFORM,
        "inputs": [_tensor(spec) for spec in signature.inputs.values()] if signature else [],
        "outputs": [_output(spec) for spec in signature.outputs.values()] if signature else [],
    }


def _tensor(spec: TensorSpec) -> Document:
    shape = [-1] if spec.shape is None else [-1 if size is None else size for size in spec.shape]
    return {"name": spec.name, "datatype": datatype(spec.data_type), "shape": shape}


def _output(spec: TensorSpec) -> Document:
    # The proxy gives values of bfloat16 as float32.
    float32 = {"datatype": "FP32"} if spec.data_type == types_pb2.DT_BFLOAT16 else {}
    return {**_tensor(spec), **float32}


def _wanted(name: str, outputs: Mapping[str, Array], wish: RequestedOutput, labels: Sequence[str]) -> Array:
    if name not in outputs:
        found, reason = f"no output {name!r}", "The request asks for it"
        raise InvalidTensor("answer of the model server", found, reason, "See the model's metadata for its outputs")
    return top_classes(name, outputs[name], wish.classes, labels) if wish.classes else outputs[name]


def _written(name: str, array: Array, wish: RequestedOutput, decimals: int | None) -> _Written:
    data_type = types_pb2.DT_STRING if array.dtype.hasobject else DATA_TYPES[array.dtype.newbyteorder("<")]
    described: Document = {"name": name, "datatype": datatype(data_type), "shape": array.shape}
    if not wish.binary:
        return _Written({**described, "data": _jsonable(name, array, decimals)})
    content = _lengthened(array) if array.dtype.hasobject else _content(array)
    return _Written({**described, "parameters": {"binary_data_size": len(content)}}, content)


def _content(array: Array) -> memoryview:
    """Return the values little-endian in row-major order: the array's own memory, where it is so."""
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(-1).view(np.uint8).data


def _jsonable(name: str, array: Array, decimals: int | None) -> Any:
    """Return the values as one list in row-major order."""
    if not array.dtype.hasobject:
        return np.ascontiguousarray(round_to(array, decimals)).reshape(-1)
    try:
        return [value.decode() for value in array.ravel().tolist()]
    except UnicodeDecodeError as error:
        raise InvalidTensor(
            where=f"JSON body > outputs > {name!r}",
            found=f"an output with bytes that are no text ({error.reason})",
            reason="JSON holds texts only",
            remedy='Ask for it with {"parameters": {"binary_data": true}}',
        ) from error


def _lengthened(array: Array) -> bytes:
    return b"".join(piece for value in array.ravel().tolist() for piece in (len(value).to_bytes(4, "little"), value))
