"""Long lists of numbers: read without Python objects, they give the same arrays and the same refusals as with them."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from protos.stubs.tensorflow.core.framework import types_pb2
from proxy.backend.signatures import ModelDescription, Shape, Signature, TensorSpec
from proxy.errors import InvalidJson, InvalidTensor, RequestError
from proxy.inputs import json_document, json_numbers
from proxy.inputs.json_numbers import NotNumbers, NumberText
from proxy.inputs.json_tensors import TensorRequest, parse_tensor_request

RANDOM = np.random.default_rng(3)
FLOAT32 = np.dtype(np.float32)


def model(**inputs: tuple[str, Shape | None]) -> ModelDescription:
    """Describe a model by the types and shapes of its inputs."""
    specs = {
        name: TensorSpec(name=name, data_type=getattr(types_pb2, data_type), shape=shape)
        for name, (data_type, shape) in inputs.items()
    }
    signature = Signature(name="serving_default", inputs=specs, outputs={})
    return ModelDescription(version=1, signatures={"serving_default": signature})


def read(text: bytes | str, wanted: Any = np.float32) -> np.ndarray[Any, Any]:
    """Read one list the fast way."""
    return NumberText(memoryview(text.encode() if isinstance(text, str) else text)).read(np.dtype(wanted))


def tiny_windows(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Cut texts into windows of a few bytes, so that every kind of cut is made."""
    monkeypatch.setattr(json_numbers, "_WINDOW_BYTES", size)


@pytest.fixture
def no_list_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let lists of any length be read the fast way."""
    monkeypatch.setattr(json_document, "_LONG_BYTES", 1)


@pytest.mark.parametrize("shape", [(1,), (7,), (1, 1), (5, 1), (1, 5), (4, 3), (2, 3, 4), (1, 1, 1, 1), (2, 5, 3, 3)])
@pytest.mark.parametrize("window", [40, 64, 200, 1 << 20])
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": "), ("\n  ,  ", ":")])
def test_shapes_and_values_are_kept(
    shape: tuple[int, ...], window: int, separators: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_windows(monkeypatch, window)
    values = RANDOM.standard_normal(shape)
    array = read(json.dumps(values.tolist(), separators=separators), np.float64)
    assert array.shape == shape
    assert np.array_equal(array, values)


@pytest.mark.parametrize(
    "make",
    [
        lambda: RANDOM.standard_normal((40, 50, 3)),
        lambda: RANDOM.standard_normal((40, 50, 3)).astype(np.float32).astype(float),
        lambda: RANDOM.integers(0, 256, (40, 50, 3)) / 255,
        lambda: np.frombuffer(RANDOM.bytes(8 * 3000), np.float64).clip(-9e15, 9e15).reshape(-1, 3),
        lambda: RANDOM.integers(-(2**52), 2**52, (3000,)),
    ],
    ids=["normal", "float32", "bytes over 255", "any bits", "whole"],
)
@pytest.mark.parametrize("indent", [None, 1])
def test_numbers_are_those_of_the_standard_library_to_the_bit(make: Callable[[], Any], indent: int | None) -> None:
    text = json.dumps(np.nan_to_num(make()).tolist(), indent=indent)
    for wanted in (np.float64, np.float32):
        expected = np.array(json.loads(text)).astype(wanted)
        assert read(text, wanted).tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    ("wanted", "values"),
    [
        (np.int64, [-(2**63), 2**63 - 1, 2**53 + 1]),
        (np.uint64, [0, 2**64 - 1, 2**63 + 1]),
        (np.int32, [-(2**31), 2**31 - 1]),
        (np.uint8, [0, 255]),
        (np.int8, [-128, 127]),
        (np.float16, [0.1, 65504, 6e-8]),
        (np.float32, [1e-45, 3.4028235e38, -0.0, 16777217]),
        (np.float32, [1e30, 1, -3.4028235e38]),
    ],
)
def test_every_type_of_number_is_read(wanted: Any, values: list[Any]) -> None:
    array = read(json.dumps(values), wanted)
    assert array.dtype == np.dtype(wanted)
    assert array.tobytes() == np.array(values, wanted).tobytes()


@pytest.mark.parametrize(
    "text",
    [
        "[[1,2],[3]]",
        "[[1,2],[3,4],[5]]",
        "[[1,2,3],[4]]",
        "[[1],[2,3]]",
        "[[1,2],3]",
        "[1,[2,3]]",
        "[[1],2,[3,4]]",
        "[[[1],[2]],[[3]]]",
        "[[[1]],[[2],[3]]]",
        "[[],[1]]",
        "[]",
        "[[]]",
        "[1,]",
        "[,1]",
        "[3[,4]]",
        "[1 2]",
        "[1][2]",
        "[1],[2]",
        "[[1,2]",
        "[1]]",
        "[1]x",
        "[NaN]",
        "[Infinity]",
        "[null]",
        "[true, 1]",
        '["1"]',
        "[{}]",
        "[01]",
        "[1.]",
        "[.5]",
        "[1e999]",
        "[1e39]",
        "[9007199254740993]",
        "[99999999999999999999999999]",
        "[\x00]",
        "[Y]",
        "[_]",
        "[" * 65 + "1" + "]" * 65,
        "[" * 5000 + "1" + "]" * 5000,
        "[" * 5000,
    ],
)
@pytest.mark.parametrize("window", [8, 1 << 20])
def test_what_is_no_rectangle_of_numbers_is_left_to_the_general_way(
    text: str, window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_windows(monkeypatch, window)
    with pytest.raises(NotNumbers):
        read(text)


def test_one_number_more_or_less_is_seen_wherever_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_windows(monkeypatch, 100)
    rows = RANDOM.integers(0, 1000, (30, 4)).tolist()
    for place in range(30):
        for change in (lambda row: row.append(5), lambda row: row.pop()):
            changed = [list(row) for row in rows]
            change(changed[place])
            # The number of numbers may stay what it was.
            changed[place - 1].append(7) if len(changed[place]) < 4 else changed[place - 1].pop()
            with pytest.raises(NotNumbers):
                read(json.dumps(changed))


def test_broken_texts_never_become_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    good = json.dumps(RANDOM.integers(0, 100, (4, 2, 3)).tolist()).encode()
    for _ in range(4000):
        tiny_windows(monkeypatch, int(RANDOM.integers(30, 120)))
        broken = bytearray(good)
        for _ in range(RANDOM.integers(1, 4)):
            place = RANDOM.integers(0, len(broken))
            if RANDOM.random() < 0.5:
                del broken[place]
            else:
                broken[place] = RANDOM.choice(list(b"[],15 .-e"))
        try:
            array = read(bytes(broken), np.float64)
        except NotNumbers:
            continue
        assert array.tolist() == json.loads(broken)


FORMS: list[tuple[Any, str]] = [
    ({"instances": [[1.5, 2], [3, 4]]}, "DT_FLOAT"),
    ({"instances": [{"x": [1.5, 2]}, {"x": [3, 4]}]}, "DT_FLOAT"),
    ({"inputs": [[1.5, 2], [3, 4]]}, "DT_FLOAT"),
    ({"inputs": {"x": [[1.5, 2], [3, 4]], "other": [1, [2]]}}, "DT_FLOAT"),
    ({"signature_name": "", "inputs": {"x": [[1, 2], [3, 4]]}, "options": [1, [2]]}, "DT_INT64"),
    ({"inputs": [[2**53 + 1, 2], [3, 4]]}, "DT_FLOAT"),
    ({"inputs": [[2**60 + 1, 0.5], [3, 4]]}, "DT_DOUBLE"),
    ({"inputs": [[2**63, 1], [3, 4]]}, "DT_UINT64"),
    ({"inputs": [["a", {"b64": "AA"}], ["[1,2]", "b"]]}, "DT_STRING"),
    ({"inputs": [[True, False], [False, True]]}, "DT_BOOL"),
    ({"inputs": []}, "DT_FLOAT"),
    # Each of these is refused.
    ({"inputs": [[1, 2], [3]]}, "DT_FLOAT"),
    ({"inputs": [[1, 2, 3]]}, "DT_FLOAT"),
    ({"inputs": [[1, True], [3, 4]]}, "DT_FLOAT"),
    ({"inputs": [[1, None], [3, 4]]}, "DT_FLOAT"),
    ({"inputs": [[1.5, 2], [3, 4]]}, "DT_INT32"),
    ({"inputs": [[1, 2], [3, 2**31]]}, "DT_INT32"),
    ({"inputs": [[-1, 2], [3, 4]]}, "DT_UINT64"),
    ({"inputs": [[2**64, 1], [3, 4]]}, "DT_UINT64"),
    ({"inputs": [[1e39, 1], [3, 4]]}, "DT_FLOAT"),
    ({"inputs": [[1, 2], [3, 4]]}, "DT_STRING"),
    ({"inputs": [[1, 2], [3, 4]]}, "DT_BOOL"),
    ({"inputs": [[1, 2], [3, 4]]}, "DT_BFLOAT16"),
    ({"inputs": {"y": [[1, 2], [3, 4]]}}, "DT_FLOAT"),
    ({"inputs": {"x": {"x": [[1, 2], [3, 4]]}}}, "DT_FLOAT"),
    ({"instances": [{"x": [1, 2]}, {"x": [3]}]}, "DT_FLOAT"),
    ({"instances": [{"x": [1, 2]}, {"y": [3, 4]}]}, "DT_FLOAT"),
    ({"instances": [{"x": [1, 2]}, [3, 4]]}, "DT_FLOAT"),
    ({"instances": {"x": [1, 2]}}, "DT_FLOAT"),
    ({"instances": [[1, 2]], "inputs": [[1, 2]]}, "DT_FLOAT"),
    ({"inputs": [[1, 2], [3, 4]], "signature_name": [1, 2]}, "DT_FLOAT"),
    ({"inputs": {"numbers taken out": 0}}, "DT_FLOAT"),
    ({"inputs": {"x": [[1, 2], [3, 4]]}, "numbers taken out": 0}, "DT_FLOAT"),
]
TEXTS: list[tuple[bytes, str]] = [
    (b'{"inputs": [[1, 2], [3, 4]], "inputs": [[5, 6]]}', "DT_FLOAT"),
    (b'{"inputs": {"x": [[1, 2]], "x": [[5, 6]]}}', "DT_FLOAT"),
    (b'{"in\\u0070uts": [[1, 2]]}', "DT_FLOAT"),
    (b'{"inputs": {"x\\"": [[1, 2]], "x": [[3, 4]]}}', "DT_FLOAT"),
    (b'\xef\xbb\xbf{"inputs": [[1, 2]]}', "DT_FLOAT"),
    (b'{"inputs": [[1, 2]]} x', "DT_FLOAT"),
    (b'{"inputs": [[1, 2]], [1]: 2}', "DT_FLOAT"),
    (b'{"inputs": [[1, 2]] [3, 4]}', "DT_FLOAT"),
    (b'{"inputs": [[1, 2]], "x" [3, 4]}', "DT_FLOAT"),
    (b'{"inputs": [[1, NaN]]}', "DT_FLOAT"),
    (b'{"inputs": [[1, 2}', "DT_FLOAT"),
    (b'{"inputs": [[1, 2]]', "DT_FLOAT"),
    (b'"inputs": [[1, 2]]', "DT_FLOAT"),
    (b'{"inputs": [[1, 1e999]]}', "DT_DOUBLE"),
    (b'{"inputs": [[1, -0]]}', "DT_DOUBLE"),
    (b'{"inputs": [[1, -0]]}', "DT_INT32"),
]
CASES = [(json.dumps(document).encode(), data_type) for document, data_type in FORMS] + TEXTS


def outcome(data: bytes, description: ModelDescription) -> TensorRequest | str:
    """Return the request or the message that refuses it."""
    try:
        return parse_tensor_request(data, description)
    except RequestError as refusal:
        return f"{refusal.code} {refusal}"


@pytest.mark.parametrize(("data", "data_type"), CASES)
def test_both_ways_say_the_same(data: bytes, data_type: str, monkeypatch: pytest.MonkeyPatch) -> None:
    description = model(x=(data_type, (None, 2)))
    general = outcome(data, description)
    monkeypatch.setattr(json_document, "_LONG_BYTES", 1)
    fast = outcome(data, description)
    if isinstance(general, str) or isinstance(fast, str):
        assert fast == general
    else:
        assert (fast.signature, fast.form) == (general.signature, general.form)
        assert fast.arrays.keys() == general.arrays.keys()
        for name, array in fast.arrays.items():
            assert array.dtype == general.arrays[name].dtype
            assert array.tolist() == general.arrays[name].tolist()


@pytest.mark.parametrize(
    "document",
    [
        lambda values: {"instances": values},
        lambda values: {"signature_name": "serving_default", "instances": values, "more": ["x"]},
        lambda values: {"instances": [{"x": row} for row in values]},
        lambda values: {"inputs": values},
        lambda values: {"inputs": {"y": 5, "x": values}},
    ],
)
def test_the_fast_way_is_taken_in_all_forms(document: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    values = (RANDOM.integers(0, 256, (2, 60, 60, 3)) / 255).tolist()
    data = json.dumps(document(values)).encode()
    monkeypatch.delattr("proxy.inputs.json_values.np.array")
    found = parse_tensor_request(data, model(x=("DT_FLOAT", (None, 60, 60, 3)))).arrays["x"]
    assert found.tolist() == np.float32(values).tolist()


@pytest.mark.parametrize(("text", "times"), [("12,", 4), ("0.1234567890123456,", 2), ("[1],", 4)])
def test_memory_stays_within_a_few_times_the_body(text: str, times: int) -> None:
    data = f"[{text * 1_000_000}{text[:-1]}]".encode()
    wanted = np.dtype(np.uint8) if "." not in text else FLOAT32
    tracemalloc.start()
    NumberText(memoryview(data)).read(wanted)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < times * len(data) + 30_000_000


HOSTILE = {
    "deep lists": b"[" * 3_000_000,
    "deep lists that end": b"[" * 1_000_000 + b"1" + b"]" * 1_000_000,
    "deep objects": b'{"inputs":' * 200_000,
    "deep under inputs": b'{"inputs": ' + b"[" * 500 + b"1" + b"]" * 500 + b"}",
    "deep objects under inputs": b'{"inputs": ' + b'{"x":' * 900 + b"1" + b"}" * 900 + b"}",
    "empty lists": b'{"inputs": [' + b"[]," * 500_000 + b"[1]]}",
    "commas": b'{"inputs": [' + b"," * 2_000_000 + b"]}",
    "one number of many digits": b'{"inputs": [[1, ' + b"9" * 2_000_000 + b"]]}",
    "one number of many decimals": b'{"inputs": [[1, 1.5, 0.' + b"9" * 2_000_000 + b"]]}",
    "an exponent of many digits": b'{"inputs": [[1, 1e' + b"9" * 2_000_000 + b"]]}",
    "white space": b'{"inputs": [' + b" " * 3_000_000 + b"]}",
    "white space in a list": b'{"inputs": [[1,' + b" " * 3_000_000 + b"2], [3]]}",
    "many keys": b'{"inputs": {' + b",".join(b'"%d": [1, 2]' % number for number in range(200_000)) + b"}}",
    "one key many times": b'{"inputs": {' + b'"x": [1],' * 200_000 + b'"y": 1}}',
    "one long key": b'{"inputs": {"' + b"x" * 2_000_000 + b'": 1}}',
    "many strings": b'{"inputs": [' + b'"a",' * 500_000 + b'"b"]}',
    "a string without an end": b'{"inputs": "' + b"a" * 2_000_000,
    "backslashes": b'{"inputs": "' + b"\\" * 2_000_001 + b'"}',
    "a ragged end": b'{"inputs": [' + b"[1, 2]," * 300_000 + b"[1]]}",
    "null at the end": b'{"inputs": [' + b"[1, 2]," * 300_000 + b"[1, null]]}",
    "nothing after the numbers": b'{"inputs": [' + b"[1, 2]," * 300_000,
    "bytes that are no UTF-8": b'{"inputs": [' + b"[1, 2]," * 300_000 + b"[1, \xff]]}",
    "zero bytes": b'{"inputs": [' + b"\x00" * 2_000_000 + b"]}",
    "half a pair of surrogates": b'{"inputs": "\\ud800"}',
    "a first row that lies": b'{"inputs": [[' + b"1," * 200_000 + b"1]," + b"1," * 200_000 + b"1]}",
    "base64 that is none": b'{"inputs": [[{"b64": "' + b"*" * 2_000_000 + b'"}]]}',
}


@pytest.mark.parametrize("data_type", ["DT_FLOAT", "DT_STRING", "DT_INT64"])
@pytest.mark.parametrize("name", list(HOSTILE))
@pytest.mark.timeout(20)
def test_hostile_documents_are_refused(name: str, data_type: str) -> None:
    with pytest.raises((InvalidJson, InvalidTensor)) as refusal:
        parse_tensor_request(HOSTILE[name], model(x=(data_type, (None, 2))))
    assert refusal.value.status == 400
    assert len(str(refusal.value)) < 2000
