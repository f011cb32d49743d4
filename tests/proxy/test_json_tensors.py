"""JSON tensors: the two forms of TensorFlow Serving's REST API, and each way to get them wrong."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from protos.stubs.tensorflow.core.framework import types_pb2
from proxy.backend.signatures import ModelDescription, Shape, Signature, TensorSpec
from proxy.errors import InvalidJson, InvalidTensor, RequestError
from proxy.inputs.json_tensors import TensorRequest, parse_tensor_request


def model(**inputs: tuple[str, Shape | None]) -> ModelDescription:
    """Describe a model by the types and shapes of its inputs."""
    specs = {
        name: TensorSpec(name=name, data_type=getattr(types_pb2, data_type), shape=shape)
        for name, (data_type, shape) in inputs.items()
    }
    signature = Signature(name="serving_default", inputs=specs, outputs={})
    return ModelDescription(version=1, signatures={"serving_default": signature})


FLOATS = model(x=("DT_FLOAT", (None, 2)))
PAIR = model(a=("DT_INT32", (None,)), b=("DT_STRING", (None,)))


def parse(document: Any, description: ModelDescription = FLOATS) -> TensorRequest:
    """Parse a document given as Python or as text."""
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return parse_tensor_request(data, description)


@pytest.mark.parametrize(
    ("document", "form"),
    [
        ({"instances": [[1, 2], [3, 4.5]]}, "row"),
        ({"instances": [{"x": [1, 2]}, {"x": [3, 4.5]}]}, "row"),
        ({"inputs": [[1, 2], [3, 4.5]]}, "column"),
        ({"inputs": {"x": [[1, 2], [3, 4.5]]}, "signature_name": "serving_default"}, "column"),
    ],
)
def test_all_forms_give_the_same_array(document: Any, form: str) -> None:
    request = parse(document)
    assert request.form == form
    assert request.arrays["x"].dtype == np.float32
    assert request.arrays["x"].tolist() == [[1, 2], [3, 4.5]]


def test_floats_are_exact_to_the_bit() -> None:
    values = np.random.default_rng(0).standard_normal((500, 2)).astype(np.float32)
    assert np.array_equal(parse({"inputs": values.tolist()}).arrays["x"], values)
    edges = [[3.4028235e38, -3.4028235e38], [1e-45, -0.0]]
    assert np.array_equal(parse({"inputs": edges}).arrays["x"], np.float32(edges))


@pytest.mark.parametrize(
    ("data_type", "values"),
    [
        ("DT_UINT8", [0, 255]),
        ("DT_INT64", [-(2**63), 2**63 - 1]),
        ("DT_UINT64", [0, 2**63, 2**64 - 1]),
        ("DT_BOOL", [True, False]),
        ("DT_DOUBLE", [0.1, 1e300]),
        ("DT_HALF", [0.5, 2]),
    ],
)
def test_every_type_is_read(data_type: str, values: list[Any]) -> None:
    array = parse({"inputs": values}, model(x=(data_type, (None,)))).arrays["x"]
    assert array.tolist() == values


def test_strings_and_bytes_are_read_at_any_depth() -> None:
    description = model(x=("DT_STRING", (None, 2)))
    array = parse({"instances": [["a", {"b64": "//4="}], ["", "ü"]]}, description).arrays["x"]
    assert array.tolist() == [[b"a", b"\xff\xfe"], [b"", "ü".encode()]]


def test_one_input_of_bytes_may_stand_without_its_name() -> None:
    description = model(x=("DT_STRING", (None,)))
    assert parse({"instances": [{"b64": "AA=="}]}, description).arrays["x"].tolist() == [b"\x00"]
    assert parse({"inputs": {"b64": "AA=="}}, model(x=("DT_STRING", ()))).arrays["x"].tolist() == b"\x00"


@pytest.mark.parametrize(
    "data",
    [
        b'{"inputs": [[1, 2]], "model_version": "3", "comment": null}',
        b'{"inputs": {"x": [[1, 2]], "y": "not looked at"}}',
        b'{"inputs": [[1, 2]], "signature_name": ""}',
        b'\xef\xbb\xbf{"inputs": [[1, 2]]}',
    ],
    ids=["other keys", "other inputs", "an empty signature name", "a byte order mark"],
)
def test_what_tensorflow_serving_takes_is_taken(data: bytes) -> None:
    assert parse(data).arrays["x"].tolist() == [[1, 2]]


@pytest.mark.parametrize("text", ["//4=", "//4", " /\n/ 4 ="])
def test_base64_may_lack_its_padding_and_have_white_space(text: str) -> None:
    assert parse({"inputs": {"b64": text}}, model(x=("DT_STRING", ()))).arrays["x"].tolist() == b"\xff\xfe"


def test_scalars_and_free_shapes_are_taken() -> None:
    assert parse({"inputs": 7}, model(x=("DT_FLOAT", ()))).arrays["x"].tolist() == 7
    assert parse({"inputs": [[[7]]]}, model(x=("DT_FLOAT", None))).arrays["x"].shape == (1, 1, 1)
    assert parse({"inputs": []}, model(x=("DT_FLOAT", (None,)))).arrays["x"].dtype == np.float32


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (b"{", "no JSON ("),
        (b"", "no JSON ("),
        (b"\xff\xfe", "no JSON ("),
        (b'{"inputs": NaN}', "no JSON ("),
        (b'{"inputs": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "no JSON ("),
        (b"[1, 2]", "a JSON list"),
        (b"null", "a JSON null"),
        (b'"x"', "a JSON text"),
        (b"1", "a JSON number"),
        ({"instance": [1]}, "neither instances nor inputs"),
        ({}, "neither instances nor inputs"),
        ({"signature_name": "serving_default"}, "neither instances nor inputs"),
        ({"instances": [[1, 2]], "inputs": [[1, 2]]}, "both instances and inputs"),
        ({"instances": []}, "an empty list under instances"),
        ({"instances": {"x": 1}}, "a object under instances"),
        ({"instances": 5}, "a number under instances"),
    ],
)
def test_what_is_no_predict_request_is_refused(document: Any, found: str) -> None:
    with pytest.raises(InvalidJson) as refusal:
        parse(document)
    assert refusal.value.found.startswith(found)
    assert refusal.value.remedy.startswith('Send {"instances": [...]}')


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (
            {"instances": [[1, 2, 3]]},
            "JSON body > input 'x': shape [1, 3]. The model takes shape [?, 2]. "
            "Send values of type DT_FLOAT and shape [?, 2].",
        ),
        (
            {"instances": [1, 2]},
            "JSON body > input 'x': shape [2]. The model takes shape [?, 2]. "
            "Send values of type DT_FLOAT and shape [?, 2].",
        ),
        (
            {"inputs": [[1, 2], [3]]},
            "JSON body > input 'x': lists of different lengths or too deep. A tensor is rectangular. "
            "Send values of type DT_FLOAT and shape [?, 2].",
        ),
        (
            {"inputs": [["1", "2"]]},
            "JSON body > input 'x': values that are not all numbers. The model takes values of type DT_FLOAT. "
            "Send values of type DT_FLOAT and shape [?, 2].",
        ),
        (
            {"inputs": {"y": [[1, 2]]}},
            "JSON body > inputs: the inputs 'y'. The signature serving_default takes 'x'. "
            "Give each of these, and no other.",
        ),
        (
            {"inputs": [[1, 2]], "signature_name": "predict"},
            "JSON body > signature_name: 'predict'. The model has the signatures serving_default. "
            "Name one of them, or leave the key out for serving_default.",
        ),
    ],
)
def test_the_message_says_what_the_model_takes(document: Any, message: str) -> None:
    with pytest.raises(InvalidTensor) as refusal:
        parse(document)
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("data_type", "values", "found"),
    [
        ("DT_FLOAT", [None], "values that are not all numbers"),
        ("DT_FLOAT", [True], "values that are not all numbers"),
        ("DT_FLOAT", [1.5, True], "values that are not all numbers"),
        ("DT_INT32", [1, True], "values that are not all numbers"),
        ("DT_UINT64", [2**63, -1], "a number out of range"),
        ("DT_FLOAT", [{"a": 1}], "values that are not all numbers"),
        ("DT_FLOAT", [1e39], "a number out of range"),
        ("DT_HALF", [1e6], "a number out of range"),
        ("DT_INT32", [1.5], "numbers with a fraction, or so large"),
        ("DT_INT32", [2**31], "a number out of range"),
        ("DT_UINT8", [-1], "a number out of range"),
        ("DT_UINT8", [256], "a number out of range"),
        ("DT_INT64", [2**70], "numbers with a fraction, or so large"),
        ("DT_BOOL", [1], "values that are not all booleans"),
        ("DT_STRING", [1], "a number"),
        ("DT_STRING", [["a"], "b"], "lists of different lengths"),
        ("DT_STRING", [{"b64": "no base64!"}], "broken base64 ("),
        ("DT_STRING", [{"b64": 5}], "a object"),
        ("DT_COMPLEX64", [1], "JSON values"),
        ("DT_BFLOAT16", [1], "JSON values"),
    ],
)
def test_values_of_another_type_are_refused(data_type: str, values: Any, found: str) -> None:
    with pytest.raises(InvalidTensor) as refusal:
        parse({"inputs": values}, model(x=(data_type, (None,))))
    assert refusal.value.found.startswith(found)


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({"instances": [1, 2]}, "JSON body > instances"),
        ({"inputs": [1]}, "JSON body > inputs"),
        ({"instances": [{"a": 1, "b": "x"}, {"a": 1}]}, "JSON body > instances > 1"),
        ({"instances": [{"a": 1, "b": "x"}, 5]}, "JSON body > instances > 1"),
    ],
)
def test_several_inputs_must_all_be_named(document: Any, where: str) -> None:
    with pytest.raises(InvalidTensor) as refusal:
        parse(document, PAIR)
    assert refusal.value.where == where
    assert refusal.value.reason == "The signature serving_default takes 'a', 'b'"


def test_lists_nested_beyond_all_tensors_are_refused() -> None:
    deep: Any = 1.0
    for _ in range(100):
        deep = [deep]
    for description in (FLOATS, model(x=("DT_STRING", (None,)))):
        with pytest.raises(InvalidTensor):
            parse({"inputs": deep}, description)


def test_a_first_row_that_lies_about_the_rest_costs_no_memory() -> None:
    # Read as a shape, the first entries would ask for 10 billion strings.
    values = [["a"] * 100_000, *["b"] * 100_000]
    with pytest.raises(InvalidTensor, match="lists of different lengths"):
        parse({"inputs": values}, model(x=("DT_STRING", None)))


def test_hostile_documents_end_in_a_refusal_or_an_array() -> None:
    random = np.random.default_rng(2)
    pieces = [b"{", b"}", b"[", b"]", b",", b":", b'"inputs"', b'"instances"', b"1", b"1e999", b"null", b'"b64"', b"-"]
    for _ in range(3000):
        data = b"".join(pieces[index] for index in random.integers(0, len(pieces), random.integers(1, 14)))
        try:
            parse(data)
        except RequestError as refusal:
            assert refusal.status == 400
