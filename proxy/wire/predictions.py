"""Predictions: the serialised messages of one Predict call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from protos.stubs.tensorflow_serving.apis.model_pb2 import ModelSpec
from protos.stubs.tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse
from proxy.errors import AnswerInvalid
from proxy.wire.tensors import fill_tensor, tensor_to_array

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Hold what a model server answered."""

    version: int
    outputs: Arrays


def write_predict_request(model: str, signature: str, arrays: Arrays) -> bytes:
    """Write the request for the latest version of a model."""
    request = PredictRequest(model_spec=ModelSpec(name=model, signature_name=signature))
    for name, array in arrays.items():
        fill_tensor(request.inputs[name], array)
    return request.SerializeToString()


def read_predict_response(data: bytes) -> Prediction:
    """Read the answer; its arrays are read-only views where the format allows.

    Raises:
        AnswerInvalid: The bytes are no answer, or a tensor in it cannot be read.
    """
    try:
        response = PredictResponse.FromString(data)
    except DecodeError as error:
        raise AnswerInvalid(
            where="answer of the model server",
            found=f"{len(data)} bytes that are no PredictResponse",
            reason="The proxy speaks the TensorFlow Serving protocol",
            remedy="Check that the target is a server of this protocol",
        ) from error
    outputs = {name: tensor_to_array(tensor, name) for name, tensor in response.outputs.items()}
    return Prediction(version=response.model_spec.version.value, outputs=outputs)
