"""Predictions: the serialised messages of one Predict call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from protos.stubs.tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse
from proxy.backend.call import PredictCall, Selector
from proxy.errors import AnswerInvalid
from proxy.wire.fields import BYTES, Malformed, read_text, walk
from proxy.wire.model_spec import AnsweredSpec, model_spec
from proxy.wire.tensor_reader import TensorSpans, read_tensor
from proxy.wire.tensor_writer import Buffer, delimited, write_tensor

Arrays = Mapping[str, NDArray[Any]]

# An entry of a map is a message with these two fields.
_KEY, _VALUE = 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Hold what a model server answered."""

    version: int
    signature: str = ""
    outputs: Arrays


def write_predict_request(model: str, call: PredictCall) -> bytes:
    """Write the request for a call; the bytes of a large array are copied once."""
    spec = model_spec(model, call.selector, call.signature)
    head = PredictRequest(model_spec=spec, output_filter=call.output_filter).SerializeToString()
    return b"".join([head, *_entries(PredictRequest.INPUTS_FIELD_NUMBER, call.arrays)])


def write_predict_response(prediction: Prediction, model: str) -> bytes:
    """Write an answer, for users who ask for the message itself."""
    spec = model_spec(model, Selector(version=prediction.version), prediction.signature)
    head = PredictResponse(model_spec=spec).SerializeToString()
    return b"".join([head, *_entries(PredictResponse.OUTPUTS_FIELD_NUMBER, prediction.outputs)])


def read_predict_response(data: bytes) -> Prediction:
    """Read the answer; its arrays are read-only views into `data` where the format allows.

    Raises:
        AnswerInvalid: The bytes are no answer, or a tensor in it cannot be read.
    """
    spec = AnsweredSpec()
    tensors: dict[str, TensorSpans] = {}
    try:
        for number, kind, begin, stop in walk(data, 0, len(data)):
            if kind == BYTES and number == PredictResponse.OUTPUTS_FIELD_NUMBER:
                name, tensor = _read_entry(data, begin, stop)
                tensors[name] = tensor
            elif kind == BYTES and number == PredictResponse.MODEL_SPEC_FIELD_NUMBER:
                spec.merge(data, begin, stop)
    except Malformed as error:
        raise AnswerInvalid(
            where="answer of the model server",
            found=f"{len(data)} bytes that are no PredictResponse ({error})",
            reason="The proxy speaks the TensorFlow Serving protocol",
            remedy="Check that the target is a server of this protocol",
        ) from error
    outputs = {name: read_tensor(tensor, data, name) for name, tensor in tensors.items()}
    return Prediction(version=spec.version, signature=spec.signature, outputs=outputs)


def _read_entry(data: bytes, start: int, end: int) -> tuple[str, TensorSpans]:
    name, tensor = "", TensorSpans()
    for number, kind, begin, stop in walk(data, start, end):
        if kind == BYTES and number == _KEY:
            name = read_text(data, begin, stop)
        elif kind == BYTES and number == _VALUE:
            tensor.merge(data, begin, stop)
    return name, tensor


def _entries(number: int, arrays: Arrays) -> Iterable[Buffer]:
    """Write the entries of a map from names to tensors."""
    for name, array in arrays.items():
        key = delimited(_KEY, [name.encode()])
        yield from delimited(number, [*key, *delimited(_VALUE, write_tensor(array))])
