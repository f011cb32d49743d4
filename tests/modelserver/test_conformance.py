"""What a client sees over gRPC: the same questions to both runtimes, the same answers expected."""

from __future__ import annotations

import numpy as np
import pytest

from modelserver import tensors
from protos.stubs.tensorflow.core.framework import types_pb2 as types
from protos.stubs.tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataRequest, SignatureDefMap
from protos.stubs.tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest
from protos.stubs.tensorflow_serving.apis.model_pb2 import ModelSpec
from protos.stubs.tensorflow_serving.apis.predict_pb2 import PredictRequest
from tests.modelserver.running import AVAILABLE, END, Client, eventually, predict_request, refused, running, spec_of

X = np.array([[1, 2], [3, 4]], np.float32)


def test_the_latest_version_answers_unless_another_is_named(client: Client) -> None:
    request = predict_request(spec_of("add"), x=X)
    response = client.prediction.Predict(request, timeout=60)
    assert response.model_spec == spec_of("add", 3, signature="serving_default")
    np.testing.assert_array_equal(tensors.from_proto(response.outputs["y"]), X + 3)
    np.testing.assert_array_equal(client.predict(spec_of("add", 2), x=X)["y"], X + 2)
    np.testing.assert_array_equal(client.predict(spec_of("add", label="stable"), x=X)["y"], X + 1)


@pytest.mark.parametrize("rows", [0, 1, 7])
def test_the_batch_may_have_any_size(client: Client, rows: int) -> None:
    answer = client.predict(spec_of("add", 1), x=np.ones((rows, 2), np.float32))
    assert answer["y"].shape == (rows, 2)


def test_values_may_come_in_the_typed_list_with_its_tail_cut_off(client: Client) -> None:
    request = PredictRequest(model_spec=spec_of("add", 1))
    tensor = request.inputs["x"]
    tensor.dtype = types.DT_FLOAT
    for size in (2, 2):
        tensor.tensor_shape.dim.add(size=size)
    tensor.float_val.extend([5, 6])
    answer = tensors.from_proto(client.prediction.Predict(request, timeout=60).outputs["y"])
    np.testing.assert_array_equal(answer, [[6, 7], [7, 7]])


def test_every_signature_answers(client: Client) -> None:
    a, b = np.arange(6, dtype=np.float32).reshape(2, 3), np.full((2, 3), 2, np.float32)
    default = client.predict(spec_of("many"), a=a, b=b)
    np.testing.assert_array_equal(default["sum"], a + b)
    np.testing.assert_array_equal(default["product"], a * b)
    picture = np.full((1, 2, 2, 3), 51, np.uint8)
    mean = client.predict(spec_of("many", signature="picture"), image=picture)["mean"]
    np.testing.assert_allclose(mean, [0.2], rtol=1e-6)
    top = client.predict(spec_of("many", signature="top_two"), x=np.array([[0, 9, 1, 8, 2, 3, 4, 5]], np.float32))
    np.testing.assert_array_equal(top["values"], [[9, 8]])
    np.testing.assert_array_equal(top["indices"], [[1, 3]])
    assert top["indices"].dtype == np.int32


def test_inputs_and_outputs_of_one_name_are_kept_apart(client: Client) -> None:
    spec = spec_of("many", signature="integers")
    answer = client.predict(spec, n=np.array([2**30, -5], np.int64), m=np.array([21], np.int32))
    np.testing.assert_array_equal(answer["n"], [2**30 + 1, -4])
    assert answer["n"].dtype == np.int64
    np.testing.assert_array_equal(answer["m"], [42])


def test_integers_beyond_32_bits_are_right_or_refused(client: Client, runtime: str) -> None:
    spec = spec_of("many", signature="integers")
    inputs = {"n": np.array([2**40], np.int64), "m": np.array([1], np.int32)}
    if runtime == "tensorflow":
        assert client.predict(spec, **inputs)["n"] == [2**40 + 1]
    else:
        assert refused(lambda: client.predict(spec, **inputs)) == (
            "INVALID_ARGUMENT",
            "Input n holds 1099511627776, and OpenVINO computes with 32-bit integers; "
            "serve this model with --runtime=tensorflow",
        )


def test_the_output_filter_leaves_only_what_is_asked_for(client: Client) -> None:
    ones = np.ones((1, 3), np.float32)
    assert client.predict(spec_of("many"), "sum", a=ones, b=ones).keys() == {"sum"}
    assert refused(lambda: client.predict(spec_of("many"), "sum", "sum", a=ones, b=ones)) == (
        "INVALID_ARGUMENT",
        "duplicate output tensor alias: sum",
    )
    assert refused(lambda: client.predict(spec_of("many"), "quotient", a=ones, b=ones)) == (
        "INVALID_ARGUMENT",
        "output tensor alias not found in signature: quotient Outputs expected to be in the set {product,sum}.",
    )


def test_an_answer_may_be_far_larger_than_grpcs_default_limit(client: Client) -> None:
    row = np.linspace(0, 1, 85, dtype=np.float32).reshape(1, 85)
    answer = client.predict(spec_of("big"), x=row)["y"]
    assert answer.shape == (1, 25200, 85)
    np.testing.assert_allclose(answer[0, -1], row[0], rtol=1e-6)


def test_a_request_may_be_far_larger_too(client: Client) -> None:
    rows = np.ones((1_000_000, 2), np.float32)
    assert client.predict(spec_of("add", 1), x=rows)["y"].sum() == 4_000_000


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        (spec_of("nope"), ("NOT_FOUND", "Servable not found for request: Latest(nope)")),
        (spec_of("add", 9), ("NOT_FOUND", "Servable not found for request: Specific(add, 9)")),
        (spec_of("add", label="beta"), ("INVALID_ARGUMENT", "Unrecognized servable version label: beta")),
        (spec_of(""), ("INVALID_ARGUMENT", "ModelSpec has no name specified.")),
        (spec_of("add", signature="no"), ("FAILED_PRECONDITION", 'Serving signature key "no" not found.')),
    ],
)
def test_what_is_not_there_is_refused_in_the_known_words(
    client: Client, spec: ModelSpec, error: tuple[str, str]
) -> None:
    assert refused(lambda: client.predict(spec, x=X)) == error


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        (
            {},
            "input size does not match signature: 0!=1 len({}) != len({x}). Sent extra: {}. Missing but required: {x}.",
        ),
        (
            {"x": X, "z": X},
            "input size does not match signature: 2!=1 len({x,z}) != len({x}). Sent extra: {z}. "
            "Missing but required: {}.",
        ),
        ({"z": X}, "input tensor alias not found in signature: z. Inputs expected to be in the set {x}."),
        ({"x": X.astype(np.int32)}, "Input x must be of type float, and type int32 was sent"),
        ({"x": X.reshape(4)}, "Input x must be of shape [-1, 2] (-1: any size), and shape [4] was sent"),
        ({"x": X.reshape(4, 1)}, "Input x must be of shape [-1, 2] (-1: any size), and shape [4, 1] was sent"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(client: Client, inputs: dict[str, np.ndarray], text: str) -> None:
    assert refused(lambda: client.predict(spec_of("add"), **inputs)) == ("INVALID_ARGUMENT", text)


def test_a_request_without_a_spec_or_with_a_deadline_that_is_over_is_refused(client: Client) -> None:
    assert refused(lambda: client.prediction.Predict(PredictRequest(), timeout=60)) == (
        "INVALID_ARGUMENT",
        "Missing ModelSpec",
    )
    request = predict_request(spec_of("slow"), x=np.ones((2000, 1024), np.float32))
    assert refused(lambda: client.prediction.Predict(request, timeout=0.05))[0] == "DEADLINE_EXCEEDED"


def test_metadata_has_the_signatures_of_the_file(client: Client) -> None:
    request = GetModelMetadataRequest(model_spec=spec_of("many"), metadata_field=["signature_def"])
    response = client.prediction.GetModelMetadata(request, timeout=60)
    assert (response.model_spec.name, response.model_spec.version.value) == ("many", 1)
    found = SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(found)
    assert {"serving_default", "picture", "top_two", "integers"} <= set(found.signature_def)
    image = found.signature_def["picture"].inputs["image"]
    assert image.dtype == types.DT_UINT8
    assert [dim.size for dim in image.tensor_shape.dim] == [-1, 2, 2, 3]
    assert found.signature_def["picture"].method_name == "tensorflow/serving/predict"


def test_metadata_that_is_not_there_is_refused(client: Client) -> None:
    def ask(**request: object) -> tuple[str, str]:
        return refused(lambda: client.prediction.GetModelMetadata(GetModelMetadataRequest(**request), timeout=60))

    assert ask() == ("INVALID_ARGUMENT", "Missing ModelSpec")
    assert ask(model_spec=spec_of("add")) == (
        "INVALID_ARGUMENT",
        "GetModelMetadataRequest must specify at least one metadata_field",
    )
    assert ask(model_spec=spec_of("add"), metadata_field=["x"]) == (
        "INVALID_ARGUMENT",
        "Metadata field x is not supported",
    )
    assert ask(model_spec=spec_of("no"), metadata_field=["signature_def"]) == (
        "NOT_FOUND",
        "Servable not found for request: Latest(no)",
    )


def test_status_tells_every_version_largest_first(client: Client) -> None:
    response = client.model.GetModelStatus(GetModelStatusRequest(model_spec=spec_of("add")), timeout=60)
    assert [(entry.version, entry.state) for entry in response.model_version_status] == [
        (3, AVAILABLE),
        (2, AVAILABLE),
        (1, AVAILABLE),
    ]
    assert all(entry.HasField("status") for entry in response.model_version_status)
    one = client.model.GetModelStatus(GetModelStatusRequest(model_spec=spec_of("add", label="stable")), timeout=60)
    assert [entry.version for entry in one.model_version_status] == [1]


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        (spec_of("nope"), ("NOT_FOUND", "Could not find any versions of model nope")),
        (spec_of("add", 9), ("NOT_FOUND", "Could not find version 9 of model add")),
        (None, ("INVALID_ARGUMENT", "Missing ModelSpec")),
    ],
)
def test_status_of_what_is_not_there(client: Client, spec: ModelSpec | None, error: tuple[str, str]) -> None:
    request = GetModelStatusRequest(model_spec=spec)
    assert refused(lambda: client.model.GetModelStatus(request, timeout=60)) == error


def test_strings_are_served_by_tensorflow_and_refused_by_openvino(client: Client, runtime: str) -> None:
    words = np.array(["a", "é".encode()], dtype=object)
    if runtime == "tensorflow":
        assert client.predict(spec_of("text"), text=words)["raw_bytes"].tolist() == [b"a", "é".encode()]
    else:
        state, error = client.states("text")[1]
        assert state == END
        assert "OpenVINO can serve no signature" in error and "StringUpper" in error


def test_a_real_classifier_and_a_real_detector_answer_alike_on_both_runtimes(
    real_models, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rng = np.random.default_rng(7)
    questions = {
        "classifier": {"images": rng.uniform(-1, 1, (2, 224, 224, 3)).astype(np.float32)},
        "detector": {"input_1": rng.normal(0, 1, (1, 3, 416, 416)).astype(np.float32)},
    }
    answers = []
    for runtime in ("openvino", "tensorflow"):
        entries = "".join(
            f'config {{ name: "{name}" base_path: "{real_models / name}" model_platform: "tensorflow" }}'
            for name in questions
        )
        file = tmp_path_factory.mktemp("real") / "models.config"
        file.write_text(f"model_config_list {{ {entries} }}")
        with running(f"--model_config_file={file}", f"--runtime={runtime}") as (client, _):
            eventually(lambda client=client: all(client.available(name) for name in questions), 120)
            answers.append({name: client.predict(spec_of(name), **inputs) for name, inputs in questions.items()})
    for name in questions:
        assert answers[0][name].keys() == answers[1][name].keys()
        for output, expected in answers[1][name].items():
            np.testing.assert_allclose(answers[0][name][output], expected, rtol=1e-4, atol=1e-4)
