"""The Open Inference Protocol: requests in JSON and with binary tensors, their answers, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from protos.stubs.tensorflow.core.framework import types_pb2
from proxy.backend.signatures import ModelDescription, Shape, Signature, TensorSpec
from proxy.errors import InvalidHeader, InvalidJson, InvalidTensor, RequestError
from proxy.inputs import json_document
from proxy.inputs.open_inference import InferRequest, parse_infer_request, read_header_length
from proxy.outputs.open_inference import infer_answer, model_document, server_document
from proxy.wire.predictions import Prediction

RANDOM = np.random.default_rng(13)


def specs(**tensors: tuple[str, Shape | None]) -> dict[str, TensorSpec]:
    """Describe tensors by type and shape."""
    return {
        name: TensorSpec(name=name, data_type=getattr(types_pb2, data_type), shape=shape)
        for name, (data_type, shape) in tensors.items()
    }


def model(outputs: dict[str, TensorSpec] | None = None, **inputs: tuple[str, Shape | None]) -> ModelDescription:
    """Describe a model with two signatures that are alike."""
    signature = Signature(
        name="serving_default", inputs=specs(**inputs), outputs=outputs or specs(y=("DT_FLOAT", None))
    )
    other = Signature(name="other", inputs=signature.inputs, outputs=signature.outputs)
    return ModelDescription(version=1, signatures={"serving_default": signature, "other": other})


FLOATS = model(x=("DT_FLOAT", (None, 2)))
TWO = model(specs(p=("DT_FLOAT", None), q=("DT_STRING", None)), a=("DT_INT32", (None,)), b=("DT_STRING", (None, 2)))


def tensor(name: str, datatype: str, shape: list[int], data: Any = None, size: int | None = None) -> dict[str, Any]:
    """Describe an input of a request."""
    values = {} if data is None else {"data": data}
    return {
        "name": name,
        "datatype": datatype,
        "shape": shape,
        **values,
        **({} if size is None else {"parameters": {"binary_data_size": size}}),
    }


def parse(document: Any, description: ModelDescription = FLOATS, binary: bytes = b"") -> InferRequest:
    """Parse a request of a document and of bytes behind it."""
    head = document if isinstance(document, bytes) else json.dumps(document).encode()
    return parse_infer_request(head + binary, len(head), description)


def lengthened(*texts: bytes) -> bytes:
    """Write texts as BYTES."""
    return b"".join(len(text).to_bytes(4, "little") + text for text in texts)


@pytest.mark.parametrize("data", [[1, 2, 3, 4.5], [[1, 2], [3, 4.5]]])
@pytest.mark.parametrize("long", [1, 1 << 20])
def test_values_in_json_are_flat_or_nested(data: Any, long: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_document, "_LONG_BYTES", long)
    request = parse({"id": "7", "inputs": [tensor("x", "FP32", [2, 2], data)]})
    assert (request.id, request.signature, request.output_filter, request.binary) == ("7", "serving_default", (), False)
    assert request.arrays["x"].dtype == np.float32
    assert request.arrays["x"].tolist() == [[1, 2], [3, 4.5]]


@pytest.mark.parametrize(
    ("data_type", "datatype", "values"),
    [
        ("DT_BOOL", "BOOL", np.array([True, False])),
        ("DT_UINT8", "UINT8", np.uint8([0, 255])),
        ("DT_UINT16", "UINT16", np.uint16([0, 65535])),
        ("DT_UINT32", "UINT32", np.uint32([0, 2**32 - 1])),
        ("DT_UINT64", "UINT64", np.uint64([0, 2**64 - 1])),
        ("DT_INT8", "INT8", np.int8([-128, 127])),
        ("DT_INT16", "INT16", np.int16([-(2**15), 1])),
        ("DT_INT32", "INT32", np.int32([-(2**31), 1])),
        ("DT_INT64", "INT64", np.int64([-(2**63), 2**63 - 1])),
        ("DT_HALF", "FP16", np.float16([0.5, -1])),
        ("DT_FLOAT", "FP32", np.float32([0.1, -1])),
        ("DT_DOUBLE", "FP64", np.float64([0.1, -1])),
    ],
)
def test_every_datatype_goes_both_ways(data_type: str, datatype: str, values: Any) -> None:
    description = model(specs(y=(data_type, None)), x=(data_type, (None,)))
    from_json = parse({"inputs": [tensor("x", datatype, [2], values.tolist())]}, description)
    size = values.nbytes
    from_bytes = parse({"inputs": [tensor("x", datatype, [2], size=size)]}, description, values.tobytes())
    for request in (from_json, from_bytes):
        array = request.arrays["x"]
        assert array.dtype == values.dtype
        assert array.tobytes() == values.tobytes()
        written = infer_answer("m", Prediction(version=3, outputs={"y": array}), request)
        expected = {"name": "y", "datatype": datatype, "shape": [2], "data": json.loads(json.dumps(values.tolist()))}
        found = json.loads(written.body)["outputs"][0]
        assert found | {"data": values.dtype.type(found["data"]).tolist()} == expected
    binary = parse(
        {"inputs": [tensor("x", datatype, [2], values.tolist())], "parameters": {"binary_data_output": True}},
        description,
    )
    answer = infer_answer("m", Prediction(version=3, outputs={"y": values}), binary)
    assert answer.body.endswith(values.tobytes())


def test_binary_tensors_follow_in_the_order_of_the_inputs() -> None:
    numbers, texts = np.int32([5, -6]).tobytes(), lengthened(b"", b"\xff\x00", "ü".encode(), b"d")
    inputs = [tensor("b", "BYTES", [2, 2], size=len(texts)), tensor("a", "INT32", [2], size=len(numbers))]
    found = parse({"inputs": inputs}, TWO, texts + numbers).arrays
    assert found["a"].tolist() == [5, -6]
    assert found["b"].tolist() == [[b"", b"\xff\x00"], ["ü".encode(), b"d"]]
    mixed = [tensor("a", "INT32", [2], [1, 2]), tensor("b", "BYTES", [2, 2], size=len(texts))]
    assert parse({"inputs": mixed}, TWO, texts).arrays["a"].tolist() == [1, 2]


def test_binary_values_are_not_copied() -> None:
    head = json.dumps({"inputs": [tensor("x", "FP32", [500, 2], size=4000)]}).encode()
    data = head + bytes(4000)
    array = parse_infer_request(data, len(head), FLOATS).arrays["x"]
    assert np.shares_memory(array, np.frombuffer(data, np.uint8))


def test_a_tensor_may_be_empty() -> None:
    assert parse({"inputs": [tensor("x", "FP32", [0, 2], [])]}).arrays["x"].shape == (0, 2)
    assert parse({"inputs": [tensor("x", "FP32", [0, 2], size=0)]}).arrays["x"].shape == (0, 2)
    texts = model(x=("DT_STRING", (None,)))
    assert parse({"inputs": [tensor("x", "BYTES", [0], size=0)]}, texts).arrays["x"].shape == (0,)


def test_what_is_not_for_this_server_is_left_alone() -> None:
    request = parse(
        {
            "model_name": "m",
            "parameters": {"sequence_id": 7, "priority": 1, "signature_name": "other"},
            "inputs": [{**tensor("x", "FP32", [1, 2], [1, 2]), "parameters": None, "more": {}}],
            "outputs": [{"name": "y", "parameters": {"more": 1}}],
        }
    )
    assert request.signature == "other"
    assert request.output_filter == ("y",)


def test_the_outputs_come_in_the_form_that_is_asked_for() -> None:
    inputs = [tensor("a", "INT32", [1], [1]), tensor("b", "BYTES", [1, 2], ["x", "y"])]
    outputs = {"p": np.float32([[1.25, np.nan]]), "q": np.array([b"hi", b""], object)}
    prediction = Prediction(version=4, outputs=outputs)
    plain = infer_answer("m", prediction, parse({"id": "i", "inputs": inputs}, TWO))
    assert (plain.media_type, plain.headers) == ("application/json", {})
    assert json.loads(plain.body) == {
        "model_name": "m",
        "model_version": "4",
        "id": "i",
        "outputs": [
            {"name": "p", "datatype": "FP32", "shape": [1, 2], "data": [1.25, None]},
            {"name": "q", "datatype": "BYTES", "shape": [2], "data": ["hi", ""]},
        ],
    }
    wishes = [{"name": "q"}, {"name": "p", "parameters": {"binary_data": False}}]
    request = parse({"inputs": inputs, "outputs": wishes, "parameters": {"binary_data_output": True}}, TWO)
    assert request.output_filter == ("q", "p")
    mixed = infer_answer("m", prediction, request, decimals=1)
    length = int(mixed.headers["Inference-Header-Content-Length"])
    assert mixed.media_type == "application/octet-stream"
    assert json.loads(mixed.body[:length])["outputs"] == [
        {"name": "q", "datatype": "BYTES", "shape": [2], "parameters": {"binary_data_size": 10}},
        {"name": "p", "datatype": "FP32", "shape": [1, 2], "data": [1.2, None]},
    ]
    assert mixed.body[length:] == lengthened(b"hi", b"")


def test_the_highest_values_come_with_their_places_and_labels() -> None:
    wishes = [{"name": "y", "parameters": {"classification": 2}}]
    request = parse({"inputs": [tensor("x", "FP32", [1, 2], [1, 2])], "outputs": wishes})
    outputs = {"y": np.float32([[1, 5, 10, 10], [4, 3, 2, 1]])}
    answer = infer_answer("m", Prediction(version=1, outputs=outputs), request, ["a", "b", "c"])
    assert json.loads(answer.body)["outputs"] == [
        {
            "name": "y",
            "datatype": "BYTES",
            "shape": [2, 2],
            "data": ["10.000000:2:c", "10.000000:3", "4.000000:0:a", "3.000000:1:b"],
        }
    ]
    flat = infer_answer("m", Prediction(version=1, outputs={"y": np.uint8([1, 255, 0])}), request)
    assert json.loads(flat.body)["outputs"][0] == {
        "name": "y", "datatype": "BYTES", "shape": [2], "data": ["255:1", "1:0"]
    }  # fmt: skip
    for array in (np.zeros((1, 2, 3)), np.float32(1), np.array([b"x"], object)):
        with pytest.raises(InvalidTensor, match="classification"):
            infer_answer("m", Prediction(version=1, outputs={"y": np.asarray(array)}), request)


def test_bytes_that_are_no_text_are_only_for_the_binary_form() -> None:
    request = parse({"inputs": [tensor("x", "FP32", [1, 2], [1, 2])]})
    prediction = Prediction(version=1, outputs={"y": np.array([b"\xff"], object)})
    with pytest.raises(InvalidTensor, match="binary_data"):
        infer_answer("m", prediction, request)


def test_an_output_that_does_not_come_is_named() -> None:
    request = parse({"inputs": [tensor("x", "FP32", [1, 2], [1, 2])], "outputs": [{"name": "y"}]})
    with pytest.raises(InvalidTensor, match="no output 'y'"):
        infer_answer("m", Prediction(version=1, outputs={}), request)


def test_the_metadata_describe_server_and_model() -> None:
    assert server_document("1.2")["version"] == "1.2"
    assert "binary_tensor_data" in server_document("1.2")["extensions"]
    outputs = specs(y=("DT_BFLOAT16", None), z=("DT_COMPLEX64", ()))
    assert model_document("m", [3, 1], model(outputs, x=("DT_HALF", (None, 2)))) == {
        "name": "m",
        "versions": ["3", "1"],
        "platform": "tensorflow_savedmodel",
        "inputs": [{"name": "x", "datatype": "FP16", "shape": [-1, 2]}],
        "outputs": [
            {"name": "y", "datatype": "FP32", "shape": [-1]},
            {"name": "z", "datatype": "DT_COMPLEX64", "shape": []},
        ],
    }
    assert model_document("m", [], ModelDescription(version=1, signatures={}))["inputs"] == []


@pytest.mark.parametrize("value", ["", "0", "-1", "11", "1e1", "x", "5 5", "٣", "9" * 5000])
def test_a_length_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(InvalidHeader, match="Inference-Header-Content-Length"):
        read_header_length(value, 10)


def test_the_length_is_that_of_the_body_without_the_header() -> None:
    assert read_header_length(None, 10) == 10
    assert read_header_length(" 7 ", 10) == 7


X = tensor("x", "FP32", [1, 2], [1, 2])


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"", "JSON body: no JSON ("),
        (b"[]", "JSON body: a JSON list. It must be an object"),
        (b"\xff", "JSON body: no JSON ("),
        ({}, "JSON body > inputs: Field required"),
        ({"inputs": []}, "JSON body > inputs: List should have at least 1 item"),
        ({"inputs": {"x": 1}}, "JSON body > inputs: Input should be a valid list"),
        ({"inputs": [5]}, "JSON body > inputs > 0: a JSON number"),
        ({"inputs": [X] * 1001}, "JSON body > inputs: List should have at most 1000 items"),
        ({"inputs": [X], "id": 5}, "JSON body > id: Input should be a valid string"),
        ({"inputs": [X], "outputs": [5]}, "JSON body > outputs > 0: "),
        ({"inputs": [X], "outputs": {}}, "JSON body > outputs: "),
        (
            {"inputs": [X], "outputs": [{"name": "y", "parameters": {"binary_data": 1}}]},
            "JSON body > outputs > 0 > para",
        ),
        (
            {"inputs": [X], "outputs": [{"name": "y", "parameters": {"classification": -1}}]},
            "JSON body > outputs > 0 > p",
        ),
        ({"inputs": [X], "parameters": []}, "JSON body > parameters: "),
        ({"inputs": [X | {"shape": [1.5, 2]}]}, "JSON body > inputs > 0 > shape > 0: "),
        ({"inputs": [X | {"shape": [True, 2]}]}, "JSON body > inputs > 0 > shape > 0: "),
        ({"inputs": [X | {"shape": [-1, 2]}]}, "JSON body > inputs > 0 > shape > 0: "),
        ({"inputs": [X | {"shape": [2**60, 2]}]}, "JSON body > inputs > 0 > shape > 0: "),
        ({"inputs": [X | {"shape": [1] * 33}]}, "JSON body > inputs > 0 > shape: "),
        ({"inputs": [X | {"shape": "12"}]}, "JSON body > inputs > 0 > shape: "),
        ({"inputs": [X | {"name": None}]}, "JSON body > inputs > 0 > name: "),
        (
            {"inputs": [X | {"parameters": {"binary_data_size": "8"}}]},
            "JSON body > inputs > 0 > parameters > binary_data",
        ),
        (
            {"inputs": [X | {"parameters": {"binary_data_size": -8}}]},
            "JSON body > inputs > 0 > parameters > binary_data",
        ),
    ],
)
def test_what_is_no_infer_request_is_refused(document: Any, message: str) -> None:
    with pytest.raises(InvalidJson) as refusal:
        parse(document)
    assert str(refusal.value).startswith(message)
    assert len(str(refusal.value)) < 1000


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"inputs": [X, X]}, "JSON body > inputs > 1: the input 'x' once more"),
        (
            {"inputs": [X | {"name": "z"}]},
            "JSON body > inputs > 0: the input 'z'. The signature serving_default takes 'x'",
        ),
        ({"inputs": [X | {"datatype": "FP64"}]}, "JSON body > inputs > 0: the datatype 'FP64'. The model takes FP32"),
        ({"inputs": [X | {"shape": [1, 3]}]}, "JSON body > inputs > 0: shape [1, 3]. The model takes shape [?, 2]"),
        (
            {"inputs": [X | {"shape": [2, 2]}]},
            "JSON body > inputs > 0: values of shape [2]. The request says shape [2, 2]",
        ),
        ({"inputs": [X | {"data": [[1], [2]]}]}, "JSON body > inputs > 0: values of shape [2, 1]"),
        ({"inputs": [X | {"data": [1, "2"]}]}, "JSON body > input 'x': values that are not all numbers"),
        ({"inputs": [X | {"data": [1, [2]]}]}, "JSON body > input 'x': lists of different lengths"),
        ({"inputs": [X | {"data": {}}]}, "JSON body > input 'x': values that are not all numbers"),
        ({"inputs": [X | {"data": None}]}, "JSON body > inputs > 0: no values"),
        (
            {"inputs": [X | {"parameters": {"binary_data_size": 8}}]},
            "JSON body > inputs > 0: values in JSON and as bytes",
        ),
        (
            {"inputs": [X | {"parameters": {"shared_memory_region": "r"}}]},
            "JSON body > inputs > 0: a shared memory region",
        ),
        (
            {"inputs": [X], "outputs": [{"name": "z"}]},
            "JSON body > outputs > 0: the output 'z'. The signature serving_defa",
        ),
        ({"inputs": [X], "outputs": [{"name": "y"}] * 2}, "JSON body > outputs > 1: the output 'y' once more"),
        ({"inputs": [X], "parameters": {"signature_name": "z"}}, "JSON body > parameters > signature_name: 'z'"),
        (
            {"inputs": [X], "outputs": [{"name": "y", "parameters": {"shared_memory_region": "r"}}]},
            "JSON body > outputs > 0: a shared memory region",
        ),
    ],
)
def test_what_the_model_does_not_take_is_refused(document: Any, message: str) -> None:
    with pytest.raises(InvalidTensor) as refusal:
        parse(document)
    assert str(refusal.value).startswith(message)


def test_all_inputs_are_needed() -> None:
    with pytest.raises(InvalidTensor, match="no input 'b'"):
        parse({"inputs": [tensor("a", "INT32", [1], [1])]}, TWO)


@pytest.mark.parametrize(
    ("datatype", "shape", "size", "binary", "message"),
    [
        ("FP32", [1, 2], 8, b"", "0 bytes. binary_data_size says 8"),
        ("FP32", [1, 2], 8, b"\0" * 7, "7 bytes. binary_data_size says 8"),
        ("FP32", [1, 2], 8, b"\0" * 9, "1 bytes after the last one"),
        ("FP32", [1, 2], 4, b"\0" * 4, "4 bytes. Shape [1, 2] of FP32 takes 8"),
        ("FP32", [2**40, 2], 8, b"\0" * 8, "8 bytes. Shape [1099511627776, 2] of FP32 takes"),
        ("FP32", [1, 2], 2**40, b"\0" * 8, "8 bytes. binary_data_size says"),
        ("BOOL", [1, 2], 2, b"\x01\x02", "a byte that is neither 0 nor 1"),
        ("BYTES", [1, 2], 4, lengthened(b""), "4 bytes. Shape [1, 2] takes 4 for each"),
        ("BYTES", [2**40, 2], 8, lengthened(b"", b""), "8 bytes. Shape [1099511627776, 2] takes 4 for each"),
        ("BYTES", [1, 2], 9, lengthened(b"", b"") + b"x", "1 bytes after the last text"),
        ("BYTES", [1, 2], 8, b"\xff\xff\xff\xff" * 2, "a text that ends after 4294967299 bytes of 8"),
        ("BYTES", [1, 2], 10, lengthened(b"abc") + b"\0\0\0", "a text that ends after 11 bytes of 10"),
        ("BF16", [1, 2], 4, b"\0" * 4, "binary values"),
    ],
)
@pytest.mark.timeout(20)
def test_bytes_that_are_no_tensor_are_refused(
    datatype: str, shape: list[int], size: int, binary: bytes, message: str
) -> None:
    types = {"FP32": "DT_FLOAT", "BOOL": "DT_BOOL", "BYTES": "DT_STRING", "BF16": "DT_BFLOAT16"}
    with pytest.raises(InvalidTensor) as refusal:
        parse({"inputs": [tensor("x", datatype, shape, size=size)]}, model(x=(types[datatype], (None, 2))), binary)
    assert refusal.value.message.startswith("binary tensors")
    assert message in refusal.value.message


def test_documents_at_random_are_refused_or_read() -> None:
    good = json.dumps(
        {"id": "1", "inputs": [X], "outputs": [{"name": "y", "parameters": {}}], "parameters": {}}
    ).encode()
    for _ in range(3000):
        broken = bytearray(good)
        for place in RANDOM.integers(0, len(broken), 2):
            broken[place] = RANDOM.choice(list(b'{}[]",:0129xy -'))
        try:
            assert parse(bytes(broken)).arrays["x"].size % 2 == 0
        except RequestError as refusal:
            assert refusal.status == 400


@pytest.mark.parametrize(
    "data",
    [
        b'{"inputs": ' + b"[" * 1_000_000,
        b'{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 2], "data": ' + b"[" * 500 + b"]" * 500 + b"}]}",
        b'{"inputs": [{"name": "x", "datatype": "FP32", "shape": ' + b"[" * 900 + b"]" * 900 + b"}]}",
        b'{"inputs": [{"name": "x", "datatype": "FP32", "shape": [' + b"1," * 500_000 + b'1], "data": [1]}]}',
        b'{"inputs": [' + b"{}," * 300_000 + b"{}]}",
        b'{"inputs": [' + b"[]," * 300_000 + b"[]]}",
        b'{"inputs": [{"name": "' + b"x" * 2_000_000 + b'", "datatype": "FP32", "shape": [1], "data": [1]}]}',
        b'{"inputs": [{"name": "x", "datatype": "' + b"x" * 2_000_000 + b'", "shape": [1, 2], "data": [1]}]}',
        b'{"inputs": [1], "outputs": [' + b"{}," * 300_000 + b"{}]}",
        b'{"inputs": [1], "parameters": {"signature_name": "' + b"x" * 2_000_000 + b'"}}',
    ],
)
@pytest.mark.timeout(20)
def test_hostile_requests_are_refused_shortly(data: bytes) -> None:
    with pytest.raises(RequestError) as refusal:
        parse(data)
    assert refusal.value.status == 400
    assert len(str(refusal.value)) < 2000
