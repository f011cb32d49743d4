"""Classify, Regress and MultiInference, over gRPC and REST."""

from __future__ import annotations

import numpy as np
import pytest

from protos.stubs.tensorflow_serving.apis.classification_pb2 import ClassificationRequest
from protos.stubs.tensorflow_serving.apis.inference_pb2 import MultiInferenceRequest
from protos.stubs.tensorflow_serving.apis.regression_pb2 import RegressionRequest
from tests.modelserver.running import Client, refused, spec_of

WEIGHTS = np.arange(6, dtype=np.float32).reshape(2, 3)
ROWS = [[1.0, 0.0], [0.5, 0.25]]


def softmax(rows: list[list[float]]) -> np.ndarray:
    exponents = np.exp(np.array(rows) @ WEIGHTS)
    return exponents / exponents.sum(axis=1, keepdims=True)


def add_examples(target, rows=ROWS) -> None:
    """Fill an Input with one Example per row."""
    for row in rows:
        target.example_list.examples.add().features.feature["x"].float_list.value.extend(row)


def classify(client: Client, signature: str, rows=ROWS):
    request = ClassificationRequest(model_spec=spec_of("classes", signature=signature))
    add_examples(request.input, rows)
    return client.prediction.Classify(request, timeout=60)


def test_classify_over_numbers(client: Client) -> None:
    response = classify(client, "scores")
    assert response.model_spec == spec_of("classes", 1, signature="scores")
    found = [[entry.score for entry in row.classes] for row in response.result.classifications]
    np.testing.assert_allclose(found, softmax(ROWS), rtol=1e-5)


def test_classify_over_serialised_examples(client: Client, runtime: str) -> None:
    if runtime == "openvino":
        code, text = refused(lambda: classify(client, "parsed"))
        assert code == "UNIMPLEMENTED"
        assert text.startswith("OpenVINO cannot serve signature parsed: ") and "ParseExample" in text
        return
    first = classify(client, "parsed").result.classifications[0].classes
    assert [entry.label for entry in first] == ["red", "green", "blue"]
    np.testing.assert_allclose([entry.score for entry in first], softmax(ROWS)[0], rtol=1e-5)


def test_features_of_the_context_belong_to_every_example(client: Client) -> None:
    request = ClassificationRequest(model_spec=spec_of("classes", signature="scores"))
    with_context = request.input.example_list_with_context
    with_context.context.features.feature["x"].float_list.value.extend([1, 0])
    with_context.examples.add()
    with_context.examples.add().features.feature["x"].float_list.value.extend([0.5, 0.25])
    result = client.prediction.Classify(request, timeout=60).result
    found = [[entry.score for entry in row.classes] for row in result.classifications]
    np.testing.assert_allclose(found, softmax(ROWS), rtol=1e-5)


def test_regress(client: Client) -> None:
    request = RegressionRequest(model_spec=spec_of("classes", signature="number"))
    add_examples(request.input)
    response = client.prediction.Regress(request, timeout=60)
    expected = (np.array(ROWS) @ WEIGHTS).sum(axis=1)
    np.testing.assert_allclose([entry.value for entry in response.result.regressions], expected, rtol=1e-5)


def test_several_at_once(client: Client) -> None:
    request = MultiInferenceRequest()
    request.tasks.add(model_spec=spec_of("classes", signature="scores"), method_name="tensorflow/serving/classify")
    request.tasks.add(model_spec=spec_of("classes", signature="number"), method_name="tensorflow/serving/regress")
    add_examples(request.input)
    first, second = client.prediction.MultiInference(request, timeout=60).results
    assert len(first.classification_result.classifications) == 2
    assert len(second.regression_result.regressions) == 2
    request.tasks[1].model_spec.signature_name = "scores"
    assert refused(lambda: client.prediction.MultiInference(request, timeout=60)) == (
        "INVALID_ARGUMENT",
        "Duplicate evaluation of signature: scores",
    )


@pytest.mark.parametrize(
    ("signature", "rows", "text"),
    [
        ("nope", ROWS, "No signature was found with the name: nope"),
        (
            "serving_default",
            ROWS,
            "Expected classification signature method_name to be tensorflow/serving/classify. "
            "Was: tensorflow/serving/predict",
        ),
        ("scores", [], "Input is empty."),
        ("scores", [[1.0], [1.0, 2.0]], "Feature x has different lengths in the examples of one request"),
        ("scores", [[1.0, 2.0, 3.0]], "Feature x does not fit an input of shape [-1, 2]"),
        ("scores", [[]], "Feature x does not fit an input of shape [-1, 2]"),
    ],
)
def test_requests_that_do_not_fit_are_refused(client: Client, signature: str, rows: list, text: str) -> None:
    code, message = refused(lambda: classify(client, signature, rows))
    assert code == "INVALID_ARGUMENT"
    assert message.startswith(text)


def test_rest_classify_and_regress(client: Client) -> None:
    examples = [{"x": [1.0, 0.0]}, {"x": [0.5, 0.25]}]
    status, answer = client.rest(
        "/v1/models/classes:classify", {"signature_name": "scores", "context": {}, "examples": examples}
    )
    assert status == 200
    np.testing.assert_allclose([[score for _, score in row] for row in answer["results"]], softmax(ROWS), rtol=1e-5)
    status, answer = client.rest("/v1/models/classes:regress", {"signature_name": "number", "examples": examples})
    np.testing.assert_allclose(answer["results"], (np.array(ROWS) @ WEIGHTS).sum(axis=1), rtol=1e-5)


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ({}, "When method is classify, key 'examples' is expected and was not found"),
        ({"examples": {}}, "Expecting 'examples' value to be an list/array"),
        ({"examples": []}, "'examples' value is an empty array"),
        ({"examples": [1]}, "Example must be JSON object but got JSON Number"),
        ({"examples": [{"x": [None]}]}, "Feature: x has element with unexpected JSON type: Null"),
        ({"examples": [{"x": [1.5, "a"]}]}, "Unexpected element type in feature: x expecting type: float"),
        ({"examples": [{"x": ["a"]}]}, "Feature x of example 0 holds bytes, and input x takes numbers"),
        ({"examples": [{}]}, "Example 0 has no feature x"),
    ],
)
def test_rest_examples_that_are_wrong(client: Client, document: dict, error: str) -> None:
    document = {"signature_name": "scores", **document}
    assert client.rest("/v1/models/classes:classify", document) == (400, {"error": error})
