"""Classify and Regress: the requests that the generated parser reads, and their answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from protos.stubs.tensorflow.core.example.example_pb2 import Example
from protos.stubs.tensorflow_serving.apis.classification_pb2 import ClassificationRequest, ClassificationResponse
from protos.stubs.tensorflow_serving.apis.regression_pb2 import RegressionRequest, RegressionResponse
from proxy.backend.call import LATEST, Selector
from proxy.errors import AnswerInvalid, InvalidTensor
from proxy.wire.examples import (
    read_classify_response,
    read_regress_response,
    write_classify_request,
    write_regress_request,
)

EXAMPLE = {"age": [41], "income": [1.5, 2], "name": [b"Kim", b"\xff"], "none": []}


def features(example: Example) -> dict[str, tuple[str | None, list[Any]]]:
    """Return the kind and the values of each feature."""
    found = {}
    for name, feature in example.features.feature.items():
        kind = feature.WhichOneof("kind")
        found[name] = kind, list(getattr(feature, kind).value) if kind else []
    return found


@pytest.mark.parametrize(
    ("write", "message"),
    [(write_classify_request, ClassificationRequest), (write_regress_request, RegressionRequest)],
)
def test_values_go_to_the_list_of_their_type(write: Any, message: Any) -> None:
    request = message.FromString(write("model", Selector(label="stable"), "sig", [EXAMPLE, {}]))
    assert request.model_spec.name == "model"
    assert request.model_spec.version_label == "stable"
    assert request.model_spec.signature_name == "sig"
    assert request.input.WhichOneof("kind") == "example_list"
    first, second = request.input.example_list.examples
    assert features(first) == {
        "age": ("int64_list", [41]),
        "income": ("float_list", [1.5, 2.0]),
        "name": ("bytes_list", [b"Kim", b"\xff"]),
        "none": (None, []),
    }
    assert second.HasField("features")
    assert features(second) == {}


def test_a_context_goes_beside_the_examples() -> None:
    data = write_classify_request("model", LATEST, "", [{"age": [1]}, {"age": [2]}], {"city": [b"Seoul"]})
    kind = ClassificationRequest.FromString(data).input.example_list_with_context
    assert features(kind.context) == {"city": ("bytes_list", [b"Seoul"])}
    assert [features(example)["age"][1] for example in kind.examples] == [[1], [2]]


@pytest.mark.parametrize("values", [[b"text", 1], [2**63], [1.0, 10**400], ["text"], [1, None]])
def test_values_that_no_feature_holds_are_refused_where_they_stand(values: list[Any]) -> None:
    with pytest.raises(InvalidTensor) as refusal:
        write_classify_request("model", LATEST, "", [{}, {"age": values}])
    assert refusal.value.where == "examples > 1 > age"


def test_classes_are_read_for_each_example() -> None:
    response = ClassificationResponse()
    response.model_spec.version.value = 5
    response.model_spec.signature_name = "sig"
    for classes in ([("cat", 0.1), ("dog", 0.9)], [("bird", 1.0)], []):
        example = response.result.classifications.add()
        for label, score in classes:
            example.classes.add(label=label, score=score)
    answer = read_classify_response(response.SerializeToString())
    assert (answer.version, answer.signature) == (5, "sig")
    assert answer.labels == (("cat", "dog"), ("bird",), ())
    assert [scores.tolist() for scores in answer.scores] == [np.float32([0.1, 0.9]).tolist(), [1.0], []]


def test_numbers_are_read_for_each_example() -> None:
    response = RegressionResponse()
    for value in (1.5, -0.1):
        response.result.regressions.add(value=value)
    answer = read_regress_response(response.SerializeToString())
    assert answer.version == 0
    assert answer.values.dtype == np.float32
    assert np.array_equal(answer.values, np.float32([1.5, -0.1]))


@pytest.mark.parametrize("read", [read_classify_response, read_regress_response])
def test_bytes_that_are_no_answer_are_refused(read: Any) -> None:
    with pytest.raises(AnswerInvalid, match="3 bytes that are no"):
        read(b"\x0a\x05a")
