"""JSON answers: tensors, classes and numbers in the forms of TensorFlow Serving's REST API, rounded where asked for."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest

from proxy.errors import InvalidJson, InvalidTensor, RequestError
from proxy.inputs.json_examples import parse_examples_request
from proxy.outputs.answers import outputs_answer, tensors_answer
from proxy.outputs.json_examples import classify_answer, regress_answer
from proxy.outputs.rounding import round_to
from proxy.wire.examples import ClassifyAnswer, RegressAnswer

RANDOM = np.random.default_rng(5)


def strings(*values: Any) -> np.ndarray[Any, Any]:
    """Return an array of bytes as it comes from the wire."""
    return np.array(values, object)


def test_one_output_stands_alone_and_several_are_named() -> None:
    one = {"y": np.float32([[1, 2.5], [3, 4]])}
    two = {**one, "z": np.int64([7, -8])}
    assert tensors_answer(one, "column") == b'{"outputs":[[1.0,2.5],[3.0,4.0]]}'
    assert tensors_answer(one, "row") == b'{"predictions":[[1.0,2.5],[3.0,4.0]]}'
    assert tensors_answer(two, "column") == b'{"outputs":{"y":[[1.0,2.5],[3.0,4.0]],"z":[7,-8]}}'
    assert tensors_answer(two, "row") == b'{"predictions":[{"y":[1.0,2.5],"z":7},{"y":[3.0,4.0],"z":-8}]}'


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.float32(0.2), "0.2"),
        (np.float32([]), "[]"),
        (np.zeros((2, 0, 3), np.float32), "[[],[]]"),
        (np.float32([np.nan, np.inf, -np.inf, 1e30]), "[null,null,null,1e30]"),
        (np.float64([0.1, 1e300]), "[0.1,1e300]"),
        (np.float16([0.5]), "[0.5]"),
        (np.array([True, False]), "[true,false]"),
        (np.uint64([2**64 - 1]), "[18446744073709551615]"),
        (np.float32([[1, 2], [3, 4]]).T, "[[1.0,3.0],[2.0,4.0]]"),
        (np.float32([[1, 2], [3, 4]])[:, ::2], "[[1.0],[3.0]]"),
        (np.uint8(7), "7"),
    ],
)
def test_every_kind_of_array_is_written(array: Any, text: str) -> None:
    found = tensors_answer({"y": np.asarray(array)}, "column")
    assert json.loads(found) == {"outputs": json.loads(text)}


def test_bytes_are_base64_by_the_name_of_the_output_or_where_they_are_no_text() -> None:
    outputs = {"text": strings("ü".encode(), b"\xff"), "jpeg_bytes": strings(b"abc", b"")}
    expected = [
        {"text": "ü", "jpeg_bytes": {"b64": "YWJj"}},
        {"text": {"b64": "/w=="}, "jpeg_bytes": {"b64": ""}},
    ]
    assert json.loads(tensors_answer(outputs, "row")) == {"predictions": expected}


@pytest.mark.parametrize("outputs", [{"a": np.zeros(2), "b": np.zeros(3)}, {"a": np.zeros(2), "b": np.float32(1)}, {}])
def test_outputs_without_common_rows_are_refused_in_the_row_form(outputs: Any) -> None:
    with pytest.raises(InvalidTensor, match="different numbers of rows"):
        tensors_answer({name: np.asarray(array) for name, array in outputs.items()}, "row")


def test_rounding_makes_numbers_short_in_every_answer() -> None:
    outputs = {"y": np.float32([[0.123456, 12345.678], [1 / 3, np.nan]])}
    assert tensors_answer(outputs, "row", 3) == b'{"predictions":[[0.123,12345.678],[0.333,null]]}'
    assert json.loads(outputs_answer("m", 3, outputs, 0))["outputs"] == {"y": [[0.0, 12346.0], [0.0, None]]}


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("decimals", [0, 1, 4, 6, 15])
def test_a_rounded_number_is_the_nearest_with_so_many_decimals(dtype: Any, decimals: int) -> None:
    values = np.concatenate([RANDOM.standard_normal(2000), RANDOM.standard_normal(2000) * 1000]).astype(dtype)
    rounded = round_to(values, decimals)
    assert rounded.dtype == dtype
    nearest = np.array([round(float(value), decimals) for value in values]).astype(dtype)
    # A float64 has no spare digits for the way: beside a tie, the 15th decimal may become that of the other side.
    tolerance = 1.2e-15 if (decimals, dtype) == (15, np.float64) else 0
    assert np.abs(rounded - nearest).max() <= tolerance


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_beyond_rounding_stay_as_they_are(dtype: Any) -> None:
    bounds = np.finfo(dtype)
    values = np.array([bounds.max, bounds.min, 1e16, np.inf, -np.inf, 123456789, 2**53], dtype)
    assert round_to(values, 15).tobytes() == values.tobytes()
    assert round_to(np.int64([2**62 + 1]), 2).tolist() == [2**62 + 1]


def test_rounded_numbers_are_printed_short() -> None:
    values = RANDOM.random((100, 85)).astype(np.float32)
    written = tensors_answer({"y": values}, "column", 4)
    numbers = re.findall(r"[0-9][0-9.e-]*", written.decode())
    assert len(numbers) == values.size
    assert max(map(len, numbers)) <= len("0.1234")


def test_classes_and_numbers_are_written_under_results() -> None:
    scores = (np.float32([0.7, 0.1]), np.float32([]))
    classes = ClassifyAnswer(version=1, signature="s", labels=(("cat", "ü"), ()), scores=scores)
    assert classify_answer(classes).decode() == '{"results":[[["cat",0.7],["ü",0.1]],[]]}'
    assert classify_answer(classes, 0).decode() == '{"results":[[["cat",1.0],["ü",0.0]],[]]}'
    numbers = RegressAnswer(version=1, signature="s", values=np.float32([2.5, np.nan]))
    assert regress_answer(numbers) == b'{"results":[2.5,null]}'


def test_examples_are_read_as_tensorflow_serving_reads_them() -> None:
    request = parse_examples_request(
        b'\xef\xbb\xbf{"signature_name": "s", "more": 1, "context": {"c": "x"}, "examples": [{"f": 1.5, "i": [1, true],'
        b' "s": ["a", {"b64": "/w"}], "e": []}, {}]}'
    )
    assert request.signature == "s"
    assert request.context == {"c": [b"x"]}
    assert request.examples == [{"f": [1.5], "i": [1, 1], "s": [b"a", b"\xff"], "e": []}, {}]
    bare = parse_examples_request(b'{"examples": [{"x": [' + b"1, " * 50_000 + b"2]}]}")
    assert (bare.signature, bare.context) == ("", None)
    assert len(bare.examples[0]["x"]) == 50_001


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", "no JSON ("),
        (b"[]", "a JSON list"),
        (b"{}", "a missing key under examples"),
        (b'{"examples": []}', "an empty list under examples"),
        (b'{"examples": {}}', "a object under examples"),
        (b'{"examples": [1]}', "a number under examples > 0"),
        (b'{"examples": [{}, null]}', "a null under examples > 1"),
        (b'{"examples": [{}], "context": [1]}', "a list under context"),
        (b'{"examples": [{}], "signature_name": 5}', "a number under signature_name"),
        (b'{"examples": [{"x": null}]}', "a null among the values"),
        (b'{"examples": [{"x": [[1]]}]}', "a list among the values"),
        (b'{"examples": [{"x": {"y": 1}}]}', "a object among the values"),
        (b'{"examples": [{"x": {"b64": "*"}}]}', "broken base64"),
        (b'{"examples": [{"x": [1, "a"]}]}', "texts among numbers"),
        (b'{"examples": [{"x": 1e39}]}', "a number out of range"),
        (b'{"examples": [{"x": ' + b"[" * 900 + b"]" * 900 + b"}]}", "a list among the values"),
        (b'{"examples": ' + b"[" * 100_000, "no JSON ("),
    ],
)
def test_broken_examples_are_refused(data: bytes, error: str) -> None:
    with pytest.raises((InvalidJson, InvalidTensor)) as refusal:
        parse_examples_request(data)
    assert refusal.value.found.startswith(error)
    assert isinstance(refusal.value, RequestError)
