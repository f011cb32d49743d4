"""JSON to the messages of Classify and Regress, and their answers to JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from modelserver.errors import InvalidArgument
from modelserver.json_tensors import dump, string_of
from protos.stubs.tensorflow.core.example.example_pb2 import Example
from protos.stubs.tensorflow_serving.apis.classification_pb2 import ClassificationResult
from protos.stubs.tensorflow_serving.apis.input_pb2 import Input
from protos.stubs.tensorflow_serving.apis.regression_pb2 import RegressionResult


def fill_input(document: Mapping[str, Any], message: Input) -> None:
    """Read `examples`, and `context` if there is one.

    Raises:
        InvalidArgument: they are missing, or not what features can hold.
    """
    examples = document.get("examples")
    if examples is None:
        raise InvalidArgument("When method is classify, key 'examples' is expected and was not found")
    if not isinstance(examples, list):
        raise InvalidArgument("Expecting 'examples' value to be an list/array")
    if not examples:
        raise InvalidArgument("'examples' value is an empty array")
    if "context" in document:
        _fill(document["context"], message.example_list_with_context.context)
        target = message.example_list_with_context.examples
    else:
        target = message.example_list.examples
    for example in examples:
        _fill(example, target.add())


def _fill(value: Any, example: Example) -> None:
    if not isinstance(value, dict):
        raise InvalidArgument(f"Example must be JSON object but got JSON {_type_name(value)}")
    example.features.SetInParent()
    for name, content in value.items():
        values = content if isinstance(content, list) else [content]
        feature = example.features.feature[name]
        for item in values:
            _append(item, name, feature)


def _append(item: Any, name: str, feature: Any) -> None:
    if isinstance(item, str | dict):
        kind, value = "bytes_list", string_of(item)
    elif isinstance(item, bool | int):
        kind, value = "int64_list", int(item)
    elif isinstance(item, float):
        kind, value = "float_list", item
    else:
        raise InvalidArgument(f"Feature: {name} has element with unexpected JSON type: {_type_name(item)}")
    present = feature.WhichOneof("kind")
    if present not in (None, kind):
        raise InvalidArgument(
            f"Unexpected element type in feature: {name} expecting type: {present.removesuffix('_list')}"
        )
    try:
        getattr(feature, kind).value.append(value)
    except (ValueError, OverflowError) as error:
        raise InvalidArgument(f"Feature: {name} has an element that does not fit: {error}") from error


def _type_name(value: Any) -> str:
    if value is None:
        return "Null"
    names = {bool: "True" if value is True else "False", dict: "Object", list: "Array", str: "String"}
    return names.get(type(value), "Number")


def classes(result: ClassificationResult) -> bytes:
    """Write the answer of classify: per example a list of [label, score]."""
    return dump(
        {
            "results": [
                [[entry.label, np.float32(entry.score)] for entry in row.classes] for row in result.classifications
            ]
        }
    )


def numbers(result: RegressionResult) -> bytes:
    """Write the answer of regress: per example one number."""
    return dump({"results": [np.float32(entry.value) for entry in result.regressions]})
