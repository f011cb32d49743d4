"""tf.Example to input tensors, for Classify and Regress.

A signature made for them takes serialised Examples in one string tensor and parses them in its graph; so does
TensorFlow Serving, and nothing else. OpenVINO cannot convert such a graph. For a signature with numeric inputs this
server takes each input from the feature of its name, which works with both runtimes.
"""

from __future__ import annotations

import numpy as np

from modelserver.errors import InvalidArgument
from modelserver.signature import element_of
from modelserver.tensors import Array
from protos.stubs.tensorflow.core.example.example_pb2 import Example
from protos.stubs.tensorflow.core.example.feature_pb2 import Feature
from protos.stubs.tensorflow.core.framework import types_pb2 as types
from protos.stubs.tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef, TensorInfo
from protos.stubs.tensorflow_serving.apis.input_pb2 import Input


def examples_of(message: Input) -> list[Example]:
    """Return the examples of a request; the features of a context are added to each.

    Raises:
        InvalidArgument: there is none.
    """
    kind = message.WhichOneof("kind")
    if kind == "example_list_with_context":
        examples = [_with_context(example, message) for example in message.example_list_with_context.examples]
    else:
        examples = list(message.example_list.examples)
    if not examples:
        raise InvalidArgument("Input is empty.")
    return examples


def _with_context(example: Example, message: Input) -> Example:
    merged = Example()
    merged.CopyFrom(message.example_list_with_context.context)
    merged.MergeFrom(example)
    return merged


def inputs_from(examples: list[Example], signature: SignatureDef) -> dict[str, Array]:
    """Return the input tensors of a signature, one row per example.

    Raises:
        InvalidArgument: a feature is missing, of another type, or of another length than the input needs.
    """
    if [info.dtype for info in signature.inputs.values()] == [types.DT_STRING]:
        rows = np.empty(len(examples), dtype=object)
        rows[:] = [example.SerializeToString() for example in examples]
        return dict.fromkeys(signature.inputs, rows)
    return {name: _column(examples, name, info) for name, info in signature.inputs.items()}


def _column(examples: list[Example], name: str, info: TensorInfo) -> Array:
    element = element_of(info)
    if element is None or info.tensor_shape.unknown_rank or not info.tensor_shape.dim:
        raise InvalidArgument(f"Input {name} cannot be filled from a feature: it is no batch of numbers")
    sizes = [dim.size for dim in info.tensor_shape.dim[1:]]
    rows = [_numbers(example.features.feature.get(name), name, index) for index, example in enumerate(examples)]
    if len({len(row) for row in rows}) > 1:
        raise InvalidArgument(f"Feature {name} has different lengths in the examples of one request")
    try:
        return np.array(rows, dtype=element.dtype).reshape([len(rows), *sizes])
    except (ValueError, OverflowError) as error:
        raise InvalidArgument(f"Feature {name} does not fit an input of shape {[-1, *sizes]}: {error}") from error


def _numbers(feature: Feature | None, name: str, index: int) -> list[float] | list[int]:
    kind = feature.WhichOneof("kind") if feature is not None else None
    if feature is None or kind is None:
        raise InvalidArgument(f"Example {index} has no feature {name}")
    if kind == "bytes_list":
        raise InvalidArgument(f"Feature {name} of example {index} holds bytes, and input {name} takes numbers")
    return list(feature.float_list.value) if kind == "float_list" else list(feature.int64_list.value)
