"""Examples: the messages of the Classify and Regress calls, whose input is rows of features and no tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from protos.stubs.tensorflow.core.example.example_pb2 import Example
from protos.stubs.tensorflow.core.example.feature_pb2 import Feature
from protos.stubs.tensorflow_serving.apis.classification_pb2 import ClassificationRequest, ClassificationResponse
from protos.stubs.tensorflow_serving.apis.input_pb2 import Input
from protos.stubs.tensorflow_serving.apis.regression_pb2 import RegressionRequest, RegressionResponse
from proxy.backend.call import Selector
from proxy.errors import AnswerInvalid, InvalidTensor
from proxy.wire.model_spec import model_spec

Features = Mapping[str, Sequence[bytes] | Sequence[int] | Sequence[float]]
"""One example: values of one type by feature name. Integers with floats among them are floats."""

_Answer = TypeVar("_Answer", ClassificationResponse, RegressionResponse)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifyAnswer:
    """Hold the classes of each example, in the order of the examples."""

    version: int
    signature: str
    labels: tuple[tuple[str, ...], ...]
    scores: tuple[NDArray[np.float32], ...]
    """One array for each example, as long as its labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegressAnswer:
    """Hold the number of each example."""

    version: int
    signature: str
    values: NDArray[np.float32]
    """[examples]."""


def write_classify_request(
    model: str, selector: Selector, signature: str, examples: Sequence[Features], context: Features | None = None
) -> bytes:
    """Write the request to classify examples.

    Args:
        model: The model's name.
        selector: Which version of it.
        signature: The signature's name; empty for the model's default.
        examples: The rows.
        context: Features that belong to every example.

    Raises:
        InvalidTensor: A feature holds values of several types, or a number that its type cannot hold.
    """
    spec = model_spec(model, selector, signature)
    return ClassificationRequest(model_spec=spec, input=_input(examples, context)).SerializeToString()


def write_regress_request(
    model: str, selector: Selector, signature: str, examples: Sequence[Features], context: Features | None = None
) -> bytes:
    """Write the request for a number for each example; see `write_classify_request`."""
    spec = model_spec(model, selector, signature)
    return RegressionRequest(model_spec=spec, input=_input(examples, context)).SerializeToString()


def read_classify_response(data: bytes) -> ClassifyAnswer:
    """Read the answer of Classify.

    Raises:
        AnswerInvalid: The bytes are no answer.
    """
    response = _parsed(ClassificationResponse, data)
    examples = [example.classes for example in response.result.classifications]
    return ClassifyAnswer(
        version=response.model_spec.version.value,
        signature=response.model_spec.signature_name,
        labels=tuple(tuple(found.label for found in classes) for classes in examples),
        scores=tuple(np.array([found.score for found in classes], np.float32) for classes in examples),
    )


def read_regress_response(data: bytes) -> RegressAnswer:
    """Read the answer of Regress.

    Raises:
        AnswerInvalid: The bytes are no answer.
    """
    response = _parsed(RegressionResponse, data)
    return RegressAnswer(
        version=response.model_spec.version.value,
        signature=response.model_spec.signature_name,
        values=np.array([found.value for found in response.result.regressions], np.float32),
    )


def _input(examples: Sequence[Features], context: Features | None) -> Input:
    message = Input()
    if context is None:
        rows = message.example_list
    else:
        rows = message.example_list_with_context
        _fill(rows.context, context, "context")
    for index, features in enumerate(examples):
        _fill(rows.examples.add(), features, f"examples > {index}")
    return message


def _fill(example: Example, features: Features, where: str) -> None:
    example.features.SetInParent()
    for name, values in features.items():
        try:
            _extend(example.features.feature[name], values)
        except (TypeError, ValueError, OverflowError) as error:
            raise InvalidTensor(
                where=f"{where} > {name}",
                found=str(error),
                reason="A feature is a list of texts, of integers of 64 bits or of floats",
                remedy="Send values of one of these types",
            ) from error


def _extend(feature: Feature, values: Sequence[bytes] | Sequence[int] | Sequence[float]) -> None:
    """Put values into the list of their type; a feature without values has no list."""
    if not values:
        return
    if any(isinstance(value, bytes) for value in values):
        feature.bytes_list.value.extend(values)  # pyright: ignore[reportArgumentType]
    elif any(isinstance(value, float) for value in values):
        feature.float_list.value.extend(values)  # pyright: ignore[reportArgumentType]
    else:
        feature.int64_list.value.extend(values)  # pyright: ignore[reportArgumentType]


def _parsed(kind: type[_Answer], data: bytes) -> _Answer:
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise AnswerInvalid(
            where="answer of the model server",
            found=f"{len(data)} bytes that are no {kind.DESCRIPTOR.name}",
            reason="The proxy speaks the TensorFlow Serving protocol",
            remedy="Check that the target is a server of this protocol",
        ) from error
