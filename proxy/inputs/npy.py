"""Arrays as numpy's .npy files: the bytes of a tensor with a short head, taken as they lie.

The format is numpy's (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html), versions 1 to 3. Its
head is a Python literal; only the form that holds plain numbers is read, and nothing is ever unpickled.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protos.stubs.tensorflow.core.framework import types_pb2
from proxy.backend.signatures import Signature, TensorSpec
from proxy.errors import InvalidTensor
from proxy.inputs.narrowing import narrowed, takes
from proxy.wire.tensors import numpy_type, type_name

Array = NDArray[Any]
Body = bytes | memoryview

_MAGIC = b"\x93NUMPY"
_ARCHIVE = b"PK"

# numpy's own heads take 128 bytes.
_MAX_HEAD_BYTES = 4096
_MAX_DIMENSIONS = 64

# Without a repetition within a repetition, which a sender could make try for ever.
_ENTRY = re.compile(
    rb"""\s*(?P<quote>['"])(?P<key>descr|fortran_order|shape)(?P=quote)\s*:\s*(?:"""
    rb"""(?P<mark>['"])(?P<descr>[<>|=]?[biufcSUVO][0-9]{0,9})(?P=mark)|(?P<order>True|False)|"""
    rb"""\((?P<shape>[0-9L,\s]*)\))\s*(?:,|$)"""
)
# Python 2 wrote its long integers so.
_SIZE = re.compile("[0-9]{1,18}L?")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran_order: bool
    start: int
    """Where the values begin."""


def read_npy_inputs(files: Mapping[str, Body], signature: Signature) -> dict[str, Array]:
    """Read one .npy file for each input of a signature.

    Args:
        files: By the input's name; the only file of a signature with one input may go by any name.
        signature: What the model takes.

    Raises:
        InvalidTensor: Files for other inputs, or one that is not what its input takes.
    """
    if len(files) == 1 and len(signature.inputs) == 1:
        (data,), ((name, spec),) = files.values(), signature.inputs.items()
        return {name: read_npy(data, spec)}
    if files.keys() != signature.inputs.keys():
        raise InvalidTensor(
            where="npy body",
            found=f"{len(files)} file(s) for the inputs {', '.join(repr(name[:80]) for name in sorted(files)[:8])}",
            reason=f"The signature {signature.name} takes {', '.join(repr(name) for name in sorted(signature.inputs))}",
            remedy="Send a form (multipart/form-data) with one .npy file for each input, by its name",
        )
    return {name: read_npy(files[name], spec) for name, spec in signature.inputs.items()}


def read_npy(data: Body, spec: TensorSpec) -> Array:
    """Read a .npy file as an array of the input's type and shape.

    Args:
        data: The file.
        spec: What the model takes. Other numbers become its type where it holds them, as numbers in JSON do.

    Returns:
        A read-only view of `data`, in C order; a copy where the file has another type or order.

    Raises:
        InvalidTensor: No such file, or values of another type or shape.
    """
    wanted = _wanted(spec)
    head = _head(memoryview(data), spec)
    if not spec.takes_shape(head.shape):
        raise _invalid(spec, f"shape {list(head.shape)}", f"The model takes shape {spec.shape_text}")
    if not takes(wanted, head.dtype):
        reason = f"The model takes values of type {type_name(spec.data_type)}"
        raise _invalid(spec, f"values of type {head.dtype.name}", reason)
    array = narrowed(_values(data, head, spec), wanted)
    if array is None:
        raise _invalid(spec, "a number out of range", f"{type_name(spec.data_type)} cannot hold it")
    return np.asarray(array, order="C")


def _wanted(spec: TensorSpec) -> np.dtype[Any]:
    wanted = numpy_type(spec.data_type)
    if wanted is None or wanted.hasobject or spec.data_type == types_pb2.DT_BFLOAT16:
        reason = f"The model takes values of type {type_name(spec.data_type)}, which a .npy file does not hold"
        raise _invalid(spec, "a .npy file", reason)
    return wanted


def _head(data: memoryview, spec: TensorSpec) -> _Head:
    """Read the head, and hold the length of the file against it, before anything is made of either."""
    start, text = _head_text(data, spec)
    entries = _entries(text, spec)
    dtype = _dtype(entries["descr"], spec)
    shape = _shape(entries["shape"], spec)
    head = _Head(dtype=dtype, shape=shape, fortran_order=entries["fortran_order"] == "True", start=start)
    wanted = math.prod(shape) * dtype.itemsize
    if wanted != len(data) - start:
        reason = f"Shape {list(shape)[:8]} of type {dtype.name} takes {wanted}"
        raise _invalid(spec, f"{len(data) - start} bytes of values", reason)
    return head


def _head_text(data: memoryview, spec: TensorSpec) -> tuple[int, bytes]:
    """Return where the head ends, and its text."""
    magic = bytes(data[:8])
    if magic[:2] == _ARCHIVE:
        reason = "The proxy reads single arrays: send a form (multipart/form-data) with one .npy file for each input"
        raise _invalid(spec, "an .npz archive", reason)
    if magic[:6] != _MAGIC or len(magic) < 8 or magic[6] not in (1, 2, 3):
        raise _invalid(spec, "no .npy file of version 1 to 3", "The first bytes say what a file is")
    width = 2 if magic[6] == 1 else 4
    length = int.from_bytes(data[8 : 8 + width], "little")
    start = 8 + width + length
    if length > _MAX_HEAD_BYTES or start > len(data):
        raise _invalid(spec, f"a head of {length} bytes", f"It ends within the file, after {_MAX_HEAD_BYTES} at most")
    return start, bytes(data[8 + width : start])


def _entries(text: bytes, spec: TensorSpec) -> dict[str, str]:
    inner = text.strip()
    entries: dict[str, str] = {}
    position, inner = 0, inner[1:-1].strip() if inner[:1] == b"{" and inner[-1:] == b"}" else b""
    while position < len(inner) and (entry := _ENTRY.match(inner, position)):
        key = entry["key"].decode()
        value = {"descr": entry["descr"], "fortran_order": entry["order"], "shape": entry["shape"]}[key]
        if value is None or key in entries:
            break
        entries[key] = value.decode()
        position = entry.end()
    if position != len(inner) or len(entries) != 3:
        raise _invalid(spec, "a head that is not that of plain numbers", "It names descr, fortran_order and shape")
    return entries


def _shape(text: str, spec: TensorSpec) -> tuple[int, ...]:
    sizes = [size.strip() for size in text.split(",")]
    if sizes[-1] == "":
        sizes.pop()
    if len(sizes) > _MAX_DIMENSIONS or not all(_SIZE.fullmatch(size) for size in sizes):
        raise _invalid(spec, f"the shape ({text[:80]})", f"It has up to {_MAX_DIMENSIONS} whole numbers")
    return tuple(int(size.rstrip("L")) for size in sizes)


def _dtype(descr: str, spec: TensorSpec) -> np.dtype[Any]:
    try:
        dtype = np.dtype(descr)
    except TypeError as error:
        raise _invalid(spec, f"values of type {descr!r}", "numpy has no such type") from error
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise _invalid(spec, f"values of type {descr!r}", "The proxy reads booleans and numbers of up to 64 bits")
    return dtype


def _values(data: Body, head: _Head, spec: TensorSpec) -> Array:
    order = "F" if head.fortran_order else "C"
    try:
        array: Array = np.ndarray(head.shape, head.dtype, data, head.start, order=order)
    except ValueError as error:
        raise _invalid(spec, f"shape {list(head.shape)[:8]}", "It is larger than any array") from error
    if head.dtype.kind == "b" and array.view(np.uint8).max(initial=0) > 1:
        raise _invalid(spec, "a byte that is neither 0 nor 1", "Booleans are written so")
    array.flags.writeable = False
    return array


def _invalid(spec: TensorSpec, found: str, reason: str) -> InvalidTensor:
    return InvalidTensor(
        where=f"npy body > input {spec.name!r}",
        found=found,
        reason=reason,
        remedy=f"Send what numpy.save writes of an array of type {type_name(spec.data_type)} and shape "
        f"{spec.shape_text}",
    )
