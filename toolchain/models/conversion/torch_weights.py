"""Read the weights of a PyTorch checkpoint without PyTorch, and without running the code a pickle may carry.

Only the form before PyTorch 1.6 is read: three small pickles (magic number, format version, machine), the pickled
tensor descriptions, the pickled list of storage names, then every storage as a 64-bit element count and its values.
"""

import pickle
import struct
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from toolchain.models.conversion.tfjs import Array
from toolchain.models.errors import ConversionError

_MAGIC = 0x1950A86A20F9469CFC6C
_STORAGES = {"FloatStorage": "<f4", "HalfStorage": "<f2", "DoubleStorage": "<f8", "LongStorage": "<i8"}


@dataclass(frozen=True)
class _Storage:
    """A block of values that one or more tensors look into."""

    dtype: str
    name: str


@dataclass(frozen=True)
class _Tensor:
    """A view into a storage; positions and strides count elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read(path: Path) -> dict[str, Array]:
    """Read a checkpoint's tensors by name.

    Raises:
        ConversionError: The file is no such checkpoint, or its pickles ask for anything but tensors.
    """
    with path.open("rb") as file:
        try:
            tensors = _tensors(file)
            values = dict(_storages(file, {tensor.storage.name: tensor.storage for tensor in tensors.values()}))
            return {name: _view(tensor, values[tensor.storage.name]) for name, tensor in tensors.items()}
        except (pickle.UnpicklingError, struct.error, EOFError, KeyError, ValueError) as problem:
            raise _unreadable(path, problem) from problem


def _tensors(file: BinaryIO) -> Mapping[str, _Tensor]:
    magic, _version, _machine = (_Weights(file).load() for _ in range(3))
    if magic != _MAGIC:
        raise pickle.UnpicklingError("it does not begin with PyTorch's magic number")
    content = _Weights(file).load()
    if not isinstance(content, Mapping) or not all(isinstance(value, _Tensor) for value in content.values()):
        raise pickle.UnpicklingError("it is not a table of tensors")
    return cast("Mapping[str, _Tensor]", content)


def _storages(file: BinaryIO, wanted: Mapping[str, _Storage]) -> Iterator[tuple[str, Array]]:
    for name in _Weights(file).load():
        (count,) = struct.unpack("<q", file.read(8))
        dtype = np.dtype(wanted[name].dtype)
        yield name, np.frombuffer(file.read(count * dtype.itemsize), dtype, count)


def _view(tensor: _Tensor, values: Array) -> Array:
    strides = [stride * values.itemsize for stride in tensor.strides]
    last = tensor.offset + sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.strides, strict=True))
    if min((tensor.offset, *tensor.strides)) < 0 or last >= len(values):
        raise ValueError(f"a tensor of shape {tensor.shape} reaches past its storage")
    return np.lib.stride_tricks.as_strided(values[tensor.offset :], tensor.shape, strides).copy()


def _rebuild(storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object) -> _Tensor:
    """Stand in for torch._utils._rebuild_tensor_v2; gradients and hooks do not matter here."""
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


class _Weights(pickle.Unpickler):
    """An unpickler that knows tensors and nothing else."""

    def find_class(self, module_name: str, global_name: str, /) -> Callable[..., Any] | str:
        match module_name, global_name:
            case "torch", storage if storage in _STORAGES:
                return _STORAGES[storage]
            case "torch._utils", "_rebuild_tensor_v2":
                return _rebuild
            case "collections", "OrderedDict":
                return OrderedDict
            case _:
                raise pickle.UnpicklingError(f"it asks to run {module_name}.{global_name}")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, name, *_ = pid
        if kind != "storage" or dtype not in _STORAGES.values():
            raise pickle.UnpicklingError(f"it refers to {kind!r}, which is not a storage")
        return _Storage(dtype, str(name))


def _unreadable(path: Path, problem: Exception) -> ConversionError:
    return ConversionError(
        str(path),
        f"it cannot be read as PyTorch weights: {problem}",
        "the classifier is made from it, and nothing in it is ever run",
        "remove the downloaded source from the cache and run the set-up again",
    )
