"""The .npy format, both ways: what numpy writes is read, what is written numpy reads, and nothing else gets in."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from protos.stubs.tensorflow.core.framework import types_pb2
from proxy.backend.signatures import Shape, Signature, TensorSpec
from proxy.errors import InvalidTensor
from proxy.inputs.npy import read_npy, read_npy_inputs
from proxy.outputs.npy import npy_answer, write_npy

RANDOM = np.random.default_rng(11)


def tensor(data_type: str = "DT_FLOAT", shape: Shape | None = None, name: str = "x") -> TensorSpec:
    """Describe an input."""
    return TensorSpec(name=name, data_type=getattr(types_pb2, data_type), shape=shape)


def saved(array: Any, version: tuple[int, int] | None = None) -> bytes:
    """Return what numpy writes of an array."""
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asanyarray(array), version, allow_pickle=True)
    return file.getvalue()


def with_head(head: str, values: bytes = b"", version: int = 1) -> bytes:
    """Return a file with a head of one's own."""
    width = 2 if version == 1 else 4
    return b"\x93NUMPY" + bytes([version, 0]) + len(head).to_bytes(width, "little") + head.encode() + values


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 3), (1, 2, 3, 4)])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("descr", ["<f4", ">f4", "<f8", "<f2", "|u1", ">i2", "<i8"])
def test_what_numpy_writes_is_read(version: Any, shape: tuple[int, ...], order: Any, descr: str) -> None:
    values = np.asarray(RANDOM.integers(0, 100, shape).astype(descr), order=order)
    array = read_npy(saved(values, version), tensor())
    assert array.dtype == np.float32
    assert array.shape == shape
    assert array.flags.c_contiguous
    assert array.tolist() == values.tolist()


def test_values_of_the_type_of_the_model_are_not_copied() -> None:
    data = saved(np.arange(1000, dtype=np.float32).reshape(10, 100))
    array = read_npy(data, tensor(shape=(None, 100)))
    assert np.shares_memory(array, np.frombuffer(data, np.uint8))
    assert not array.flags.writeable


@pytest.mark.parametrize(
    ("data_type", "values"),
    [
        ("DT_UINT8", np.uint8([0, 255])),
        ("DT_INT64", np.int64([-(2**63), 2**63 - 1])),
        ("DT_UINT64", np.uint64([2**64 - 1])),
        ("DT_INT32", np.uint64([2**31 - 1])),
        ("DT_BOOL", np.array([True, False])),
        ("DT_DOUBLE", np.float64([0.1, np.nan, -np.inf])),
        ("DT_HALF", np.float32([0.5, np.inf])),
        ("DT_FLOAT", np.float64([np.inf, -np.inf, 0.1])),
    ],
)
def test_every_type_is_read(data_type: str, values: Any) -> None:
    array = read_npy(saved(values), tensor(data_type))
    assert np.array_equal(array, values.astype(array.dtype), equal_nan=values.dtype.kind == "f")


@pytest.mark.parametrize("quote", ["'", '"'])
def test_the_heads_of_other_writers_are_read(quote: str) -> None:
    head = "{'shape':(2L, 1L),'descr':'<f4','fortran_order':False}  \n".replace("'", quote)
    assert read_npy(with_head(head, np.float32([1, 2]).tobytes()), tensor()).tolist() == [[1], [2]]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "no .npy file"),
        (b"\x93NUM", "no .npy file"),
        (b"\x93NUMPY\x04\x00" + b"\x00" * 20, "no .npy file"),
        (b"PK\x03\x04" + b"\x00" * 100, "an .npz archive"),
        (b"\x93NUMPY\x01\x00", "a head of 0 bytes"),
        (b"\x93NUMPY\x01\x00\xff\xff{", "a head of 65535 bytes"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff{", "a head of 4294967295 bytes"),
        (with_head("{'descr': '<f4', 'fortran_order': False, 'shape': (4,)}", b"\0" * 8), "8 bytes of values"),
        (with_head("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", b"\0" * 8), "8 bytes of values"),
        (with_head("{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999999999,)}"), "0 bytes of values"),
        (
            with_head(f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({'99999999999999999, ' * 60})}}"),
            "0 bytes of values",
        ),
        (
            with_head("{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999999999, 999999999999999999, 0)}"),
            "shape [999999999999999999",
        ),
        (with_head(f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({'1,' * 65})}}", b"\0" * 4), "the shape (1,1"),
        (with_head("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}"), "a head that is not"),
        (with_head("{'descr': '<f4', 'fortran_order': False, 'shape': (1 2,)}", b"\0" * 8), "the shape (1 2,)"),
        (with_head("{'descr': '<f4', 'fortran_order': False, 'shape': (1,,2)}", b"\0" * 8), "the shape (1,,2)"),
        (with_head("{'descr': '<f4', 'fortran_order': False, 'shape': (" + "9" * 3000 + ")}"), "the shape (999"),
        (with_head("{'descr': '<f4', 'fortran_order': False, 'shape': (" + "1" * 3900), "a head that is not"),
        (with_head("{'descr': '<f4', 'fortran_order': False}"), "a head that is not"),
        (with_head("{'descr': '<f4', 'descr': '<f4', 'shape': ()}"), "a head that is not"),
        (with_head("{'descr': '<f4', 'fortran_order': False, 'shape': (), 'x': 1}"), "a head that is not"),
        (with_head("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': ()}"), "a head that is not"),
        (with_head("{'descr': '<f4', 'fortran_order': __import__('os'), 'shape': ()}"), "a head that is not"),
        (with_head("(" * 4000), "a head that is not"),
        (with_head("{" + "'shape': (" + "1, " * 1300), "a head that is not"),
        (with_head("{'descr': '|O', 'fortran_order': False, 'shape': ()}"), "values of type '|O'"),
        (with_head("{'descr': '<f3', 'fortran_order': False, 'shape': ()}"), "values of type '<f3'"),
        (with_head("{'descr': '<f16', 'fortran_order': False, 'shape': ()}", b"\0" * 16), "values of type '<f16'"),
        (with_head("{'descr': '<c8', 'fortran_order': False, 'shape': ()}", b"\0" * 8), "values of type '<c8'"),
        (with_head("{'descr': '|S999999999', 'fortran_order': False, 'shape': ()}"), "values of type '|S999999999'"),
        (saved(np.array([b"x", None], object)), "values of type '|O'"),
        (saved(np.array(["x"])), "values of type '<U1'"),
        (saved(np.array([(1, 2)], [("a", "i4"), ("b", "i4")])), "a head that is not"),
        (saved(np.array([True])), "values of type bool"),
        (saved(np.float64([1e39])), "a number out of range"),
        (saved(np.zeros((2, 2), np.float32))[:-1], "15 bytes of values"),
    ],
)
@pytest.mark.timeout(20)
def test_broken_files_are_refused(data: bytes, found: str) -> None:
    with pytest.raises(InvalidTensor) as refusal:
        read_npy(data, tensor())
    assert refusal.value.found.startswith(found)
    assert refusal.value.where == "npy body > input 'x'"


@pytest.mark.parametrize(
    ("data_type", "shape", "values", "found"),
    [
        ("DT_FLOAT", (None, 2), np.zeros((2, 3), np.float32), "shape [2, 3]"),
        ("DT_INT32", None, np.float32([1]), "values of type float32"),
        ("DT_UINT8", None, np.int64([256]), "a number out of range"),
        ("DT_UINT64", None, np.int64([-1]), "a number out of range"),
        ("DT_BOOL", None, np.uint8([1]), "values of type uint8"),
        ("DT_STRING", None, np.array([b"x"]), "a .npy file"),
        ("DT_BFLOAT16", None, np.float32([1]), "a .npy file"),
        ("DT_COMPLEX64", None, np.complex64([1]), "a .npy file"),
    ],
)
def test_another_type_or_shape_is_refused(data_type: str, shape: Shape | None, values: Any, found: str) -> None:
    with pytest.raises(InvalidTensor) as refusal:
        read_npy(saved(values), tensor(data_type, shape))
    assert refusal.value.found.startswith(found)


def test_booleans_are_0_and_1() -> None:
    data = with_head("{'descr': '|b1', 'fortran_order': False, 'shape': (2,)}", b"\x01\x02")
    with pytest.raises(InvalidTensor, match="neither 0 nor 1"):
        read_npy(data, tensor("DT_BOOL"))


def test_bytes_at_random_are_refused_or_read() -> None:
    good = saved(np.arange(6, dtype=np.float32).reshape(2, 3))
    for _ in range(3000):
        broken = bytearray(good)
        for place in RANDOM.integers(0, 128, 3):
            broken[place] = RANDOM.integers(0, 256)
        try:
            assert read_npy(bytes(broken), tensor()).size == 6
        except InvalidTensor:
            continue


def test_several_inputs_come_as_files_by_name() -> None:
    inputs = {name: tensor(name=name) for name in ("a", "b")}
    signature = Signature(name="s", inputs=inputs, outputs={})
    a, b = saved(np.float32([1])), saved(np.float32([2, 3]))
    found = read_npy_inputs({"b": b, "a": a}, signature)
    assert {name: array.tolist() for name, array in found.items()} == {"a": [1], "b": [2, 3]}
    for files in ({"": a}, {"a": a}, {"a": a, "b": b, "c": a}, {}):
        with pytest.raises(InvalidTensor, match="takes 'a', 'b'"):
            read_npy_inputs(files, signature)
    one = Signature(name="s", inputs={"a": tensor(name="a")}, outputs={})
    assert read_npy_inputs({"file": a}, one)["a"].tolist() == [1]


@pytest.mark.parametrize(
    "values",
    [
        np.float32([[1, 2], [3, 4]]).T,
        np.float32(7),
        np.zeros((0, 3), np.int64),
        np.arange(24, dtype=np.uint8).reshape(2, 3, 4)[:, ::2],
        np.array([True, False]),
        np.float16([np.nan, np.inf]),
        np.zeros((1,) * 30),
    ],
)
def test_what_is_written_numpy_reads(values: Any) -> None:
    values = np.asarray(values)
    data = write_npy(values)
    found = np.load(io.BytesIO(data))
    assert (found.dtype, found.shape) == (values.dtype, values.shape)
    assert found.tobytes() == values.tobytes()
    assert (len(data) - values.nbytes) % 64 == 0


def test_strings_are_written_with_a_fixed_length() -> None:
    values = np.array([[b"ab", b""], [b"\xff", b"c"]], object)
    assert np.load(io.BytesIO(write_npy(values))).tolist() == values.tolist()
    assert np.load(io.BytesIO(write_npy(np.array([], object)))).shape == (0,)
    with pytest.raises(InvalidTensor, match="zero byte"):
        write_npy(np.array([b"a\0"], object))


def test_one_output_makes_a_file() -> None:
    assert np.load(io.BytesIO(npy_answer({"y": np.float32([1])}))).tolist() == [1]
    with pytest.raises(InvalidTensor, match="the outputs 'a', 'b'"):
        npy_answer({"a": np.zeros(1), "b": np.zeros(1)})
