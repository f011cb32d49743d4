"""JSON to tensors: what is taken, what is refused and in which words."""

from __future__ import annotations

import numpy as np
import pytest

from modelserver import json_tensors
from modelserver.errors import InvalidArgument
from protos.stubs.tensorflow.core.framework import types_pb2 as types
from protos.stubs.tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef


def signature(**inputs: int) -> SignatureDef:
    """Make a signature with inputs of these types."""
    made = SignatureDef()
    for name, data_type in inputs.items():
        made.inputs[name].dtype = data_type
    return made


FLOAT = signature(x=types.DT_FLOAT)
BYTE = signature(x=types.DT_UINT8)
TEXT = signature(x=types.DT_STRING)
TWO = signature(a=types.DT_FLOAT, b=types.DT_INT32)


@pytest.mark.parametrize(
    ("definition", "document", "expected"),
    [
        (FLOAT, {"instances": [1, 2.5]}, np.array([1, 2.5], np.float32)),
        (FLOAT, {"inputs": 3}, np.array(3, np.float32)),
        (FLOAT, {"instances": [{"x": [1]}, {"x": [2]}]}, np.array([[1], [2]], np.float32)),
        (FLOAT, {"inputs": []}, np.array([], np.float32)),
        (BYTE, {"instances": [[0, 255]]}, np.array([[0, 255]], np.uint8)),
        (signature(x=types.DT_BOOL), {"inputs": [True, False]}, np.array([True, False])),
        (signature(x=types.DT_INT64), {"inputs": [2**62]}, np.array([2**62])),
        (signature(x=types.DT_UINT64), {"inputs": [2**64 - 1]}, np.array([2**64 - 1], np.uint64)),
        (TEXT, {"instances": ["a", {"b64": "AP8="}]}, np.array([b"a", b"\x00\xff"], object)),
        (TEXT, {"inputs": [["a"], ["b"]]}, np.array([[b"a"], [b"b"]], object)),
        (TEXT, {"inputs": {"b64": "YQ=="}}, np.array(b"a", object)),
    ],
)
def test_values_become_tensors(definition: SignatureDef, document: dict, expected: np.ndarray) -> None:
    inputs, _ = json_tensors.inputs_of(document, definition)
    assert inputs["x"].dtype == expected.dtype
    np.testing.assert_array_equal(inputs["x"], expected)


@pytest.mark.parametrize(
    ("definition", "document", "text"),
    [
        (
            FLOAT,
            {"instances": [], "inputs": []},
            "Not formatted correctly expecting only one of 'inputs' or 'instances'",
        ),
        (FLOAT, {"instances": 1}, "JSON Value: 1 Excepting 'instances' to be an list/array"),
        (FLOAT, {"instances": []}, "JSON Value: [] No values in 'instances' array"),
        (FLOAT, {"instances": [[1], [1, 2]]}, "JSON Value: [[1], [1, 2]] is no tensor: its lists differ in length"),
        (FLOAT, {"instances": [True]}, "JSON Value: [true] is not of expected type: float"),
        (FLOAT, {"instances": [None]}, "JSON Value: [null] is not of expected type: float"),
        (FLOAT, {"instances": [1e39]}, "Cannot convert JSON value: 1e+39 to float32 without loss of precision."),
        (BYTE, {"instances": [1.5]}, "JSON Value: [1.5] is not of expected type: uint8"),
        (BYTE, {"instances": [256]}, "Cannot convert JSON value: 256 to uint8 without loss of precision."),
        (BYTE, {"instances": [-1]}, "Cannot convert JSON value: -1 to uint8 without loss of precision."),
        (TEXT, {"instances": [1]}, "JSON Value: 1 is not of expected type: string"),
        (TEXT, {"instances": [{"b64": "?"}]}, "Unable to base64 decode"),
        (TEXT, {"inputs": [["a"], "b"]}, 'JSON Value: "b" is no tensor: its lists differ in length'),
        (TWO, {"instances": [1]}, "instances is a plain list, but expecting list of objects as multiple input tensors"),
        (TWO, {"inputs": [1]}, "inputs is a plain value/list, but expecting an object as multiple input tensors"),
        (TWO, {"inputs": {"a": [1]}}, "Missing named input: b in 'inputs' object."),
        (TWO, {"instances": [{"a": 1, "b": 1}, [1]]}, "Expecting object but got list at item 1 of input list"),
        (
            TWO,
            {"instances": [{"a": 1}]},
            "Failed to process element: 0 of 'instances' list. JSON object: {\"a\": 1} keys must be equal to: a,b",
        ),
    ],
)
def test_values_that_make_no_tensor_are_refused(definition: SignatureDef, document: dict, text: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        json_tensors.inputs_of(document, definition)
    assert caught.value.message.startswith(text)


def test_a_long_value_is_shortened_in_messages() -> None:
    with pytest.raises(InvalidArgument) as caught:
        json_tensors.inputs_of({"instances": ["a" * 10_000]}, FLOAT)
    assert len(caught.value.message) < 300


@pytest.mark.parametrize(
    ("outputs", "form", "expected"),
    [
        ({"y": np.array([0.1, 2], np.float32)}, "row", b'{"predictions":[0.1,2.0]}'),
        ({"y": np.array(0.1, np.float32)}, "column", b'{"outputs":0.1}'),
        ({"y": np.array([[1], [2]])}, "row", b'{"predictions":[[1],[2]]}'),
        ({"y": np.array([0.5], np.float16)}, "row", b'{"predictions":[0.5]}'),
        ({"y": np.array([np.nan, 0.1], np.float32)}, "row", b'{"predictions": [NaN, 0.1]}'),
        ({"y": np.array([b"\xff"], object)}, "row", '{"predictions":["\ufffd"]}'.encode()),
        ({"y_bytes": np.array([b"\xff"], object)}, "row", b'{"predictions":[{"b64":"/w=="}]}'),
        (
            {"a": np.array([1, 2]), "b": np.array([True, False])},
            "row",
            b'{"predictions":[{"a":1,"b":true},{"a":2,"b":false}]}',
        ),
        ({"a": np.array([1]), "b": np.array([[2.0]])}, "column", b'{"outputs":{"a":[1],"b":[[2.0]]}}'),
    ],
)
def test_answers(outputs: dict, form: json_tensors.Form, expected: bytes) -> None:
    assert json_tensors.answer(outputs, form) == expected


@pytest.mark.parametrize(
    ("outputs", "text"),
    [
        ({"y": np.array(1.0)}, "Tensor name: y has no shape information "),
        (
            {"a": np.array([1, 2]), "b": np.array([1])},
            "Tensor name: b has inconsistent batch size: 1 expecting: 2",
        ),
    ],
)
def test_outputs_without_a_common_batch_have_no_row_form(outputs: dict, text: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        json_tensors.answer(outputs, "row")
    assert caught.value.message == text
