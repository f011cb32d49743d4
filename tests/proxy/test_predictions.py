"""Requests and answers as messages: what the generated parser and TensorFlow read of what the proxy writes."""

from __future__ import annotations

import random
import warnings
from typing import Any

import numpy as np
import pytest

from protos.stubs.tensorflow.core.framework.tensor_pb2 import TensorProto
from protos.stubs.tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse
from proxy.backend.call import LATEST, PredictCall, Selector
from proxy.errors import AnswerInvalid
from proxy.wire.predictions import Prediction, read_predict_response, write_predict_request, write_predict_response
from proxy.wire.tensor_writer import MOST_LISTED, write_tensor

TYPES = ["<f4", "<f8", "<f2", "i1", "<i2", "<i4", "<i8", "u1", "<u2", "<u4", "<u8", "?"]


def padded(values: list[Any], size: int, dtype: str) -> np.ndarray:
    """Make an array of `size` values whose last one is repeated to the end."""
    return np.array(values + values[-1:] * (size - len(values)), dtype)


def arrays() -> list[np.ndarray]:
    """Return arrays of every type: full ones, constant ones, and ones with a repeated tail of every length."""
    rng = random.Random(7)
    made = []
    for dtype in TYPES:
        kind = np.dtype(dtype)
        for size in (1, 2, 9, 300):
            full = np.frombuffer(rng.randbytes(size * kind.itemsize), kind if dtype != "?" else "u1")
            full = full % 2 == 0 if dtype == "?" else full
            small = np.array([rng.randrange(2 if dtype == "?" else 100) for _ in range(size)]).astype(kind)
            kept = rng.randrange(1, size + 1)
            made += [full, small, np.repeat(full[:1], size), padded(full[:kept].tolist(), size, dtype)]
        made += [np.zeros((2, 0, 3), kind), np.zeros((), kind), np.ones((3, 1, 5), kind), small.reshape(3, 100).T]
    edges = [("<i8", [-(2**63), 2**63 - 1, -1, 0]), ("<u8", [2**64 - 1, 2**63, 127, 128]), ("<i2", [-32768, 32767, -1])]
    made += [padded(values, 200, dtype) for dtype, values in edges]
    made += [padded([0.0, -0.0], 50, "<f4"), padded([-0.0], 50, "<f8"), padded([np.nan], 50, "<f4")]
    made.append(np.arange(MOST_LISTED + 10, dtype="<i4") % 100)
    return made


@pytest.fixture(scope="module")
def tensorflow() -> Any:
    """TensorFlow, whose own import warns of this and that."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("tensorflow")


def test_tensorflow_reads_the_arrays_that_are_written(tensorflow: Any) -> None:
    for array in arrays():
        written = b"".join(write_tensor(array))
        parsed = tensorflow.io.parse_tensor(written, array.dtype).numpy()
        made = tensorflow.make_ndarray(type(tensorflow.make_tensor_proto(0)).FromString(written))
        for back in (parsed, made):
            assert back.dtype == array.dtype
            assert back.shape == array.shape
            assert back.tobytes() == array.tobytes()


def test_tensorflow_reads_the_strings_that_are_written(tensorflow: Any) -> None:
    array = np.array([[b"", b"\xff\x00"], ["한".encode(), b"x" * 300]], object)
    back = tensorflow.io.parse_tensor(b"".join(write_tensor(array)), tensorflow.string).numpy()
    assert back.tolist() == array.tolist()


def test_arrays_come_back_as_they_went_and_never_in_more_bytes_than_their_content() -> None:
    for array in arrays():
        data = write_predict_response(Prediction(version=1, outputs={"x": array}), "m")
        back = read_predict_response(data).outputs["x"]
        assert (back.dtype, back.shape, back.tobytes()) == (array.dtype, array.shape, array.tobytes())
        written = b"".join(write_tensor(array))
        plain = TensorProto.FromString(written)
        for field, _ in plain.ListFields():
            if field.name.endswith("_val"):
                plain.ClearField(field.name)
        plain.tensor_content = array.tobytes()
        assert len(written) <= plain.ByteSize()


def test_a_text_in_a_long_input_takes_few_bytes() -> None:
    """Three inputs of 500 for 42 tokens, as a BERT takes them: 6000 bytes of content."""
    ids = np.zeros((1, 500), np.int32)
    ids[0, :42] = np.random.default_rng(0).integers(1000, 30522, 42)
    call = PredictCall(
        signature="serving_default",
        arrays={"input_ids": ids, "attention_mask": (ids > 0).astype(np.int32), "token_type_ids": np.zeros_like(ids)},
    )
    data = write_predict_request("bert", call)
    assert len(data) <= 300
    inputs = PredictRequest.FromString(data).inputs
    assert len(inputs["input_ids"].int_val) == 43
    assert len(inputs["attention_mask"].int_val) == 43
    assert len(inputs["token_type_ids"].int_val) == 1


@pytest.mark.parametrize("dtype", ["u1", "<f4", "<i4"])
def test_pictures_go_as_their_bytes(dtype: str) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (1, 160, 160, 3)).astype(dtype)
    picture[:, :40] = picture[:, -40:] = 114
    message = TensorProto.FromString(b"".join(write_tensor(picture)))
    assert message.tensor_content == picture.tobytes()


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        (LATEST, ""),
        (Selector(version=3), "version { value: 3 }"),
        (Selector(version=0), "version { }"),
        (Selector(label="stable"), 'version_label: "stable"'),
    ],
)
def test_a_request_names_model_version_signature_and_outputs(selector: Selector, expected: str) -> None:
    array = np.float32([1.5, 2.5])
    call = PredictCall(signature="sig", arrays={"é": array}, selector=selector, output_filter=("a", "b"))
    request = PredictRequest.FromString(write_predict_request("model", call))
    assert request.model_spec.name == "model"
    assert request.model_spec.signature_name == "sig"
    spec = PredictRequest(model_spec=request.model_spec).model_spec
    spec.ClearField("name")
    spec.ClearField("signature_name")
    assert " ".join(str(spec).split()) == expected
    assert list(request.output_filter) == ["a", "b"]
    assert request.inputs["é"].tensor_content == array.tobytes()


def test_an_answer_is_written_as_the_model_server_writes_it() -> None:
    outputs = {"scores": np.float32([[0.25, 0.75]]), "labels": np.array([b"cat", b"dog"], object)}
    response = PredictResponse.FromString(
        write_predict_response(Prediction(version=7, signature="sig", outputs=outputs), "model")
    )
    assert response.model_spec.name == "model"
    assert response.model_spec.version.value == 7
    assert response.model_spec.signature_name == "sig"
    assert sorted(response.outputs) == ["labels", "scores"]
    assert response.outputs["labels"].string_val == [b"cat", b"dog"]


def test_bytes_that_are_no_answer_are_refused_with_what_is_wrong() -> None:
    with pytest.raises(AnswerInvalid) as refusal:
        read_predict_response(b"\x0a\x05abc")
    assert refusal.value.where == "answer of the model server"
    assert refusal.value.found == (
        "5 bytes that are no PredictResponse (a field that ends outside its message, at byte 0)"
    )


def test_groups_nested_without_end_are_refused() -> None:
    with pytest.raises(AnswerInvalid, match="more than 64 groups inside each other"):
        read_predict_response(b"\x7b" * 100_000 + b"\x7c" * 100_000)
