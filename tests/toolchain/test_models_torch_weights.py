"""PyTorch weights are read without PyTorch, and nothing in the file is ever run."""

import collections
import io
import os
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from toolchain.models.conversion import torch_weights
from toolchain.models.errors import ConversionError

MAGIC = 0x1950A86A20F9469CFC6C


class Global:
    """Something that a pickle names by module, as PyTorch's own classes are named."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class Call:
    """A call that a pickle asks its reader to make."""

    def __init__(self, function: Global, *arguments: Any) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.function, self.arguments


class Writer(pickle._Pickler):
    """A pickler that writes globals without importing them, and storages by reference as PyTorch does."""

    def persistent_id(self, obj: Any) -> Any:
        return obj.content if isinstance(obj, Storage) else None

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, Global):
            self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
        elif isinstance(obj, Call):
            self.save(obj.function)
            self.save(obj.arguments)
            self.write(pickle.REDUCE)
        else:
            super().save(obj, save_persistent_id)


class Storage:
    def __init__(self, name: str, kind: str = "FloatStorage") -> None:
        self.content = ("storage", Global("torch", kind), name, "cpu", 4, None)


def tensor(storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Call:
    function = Global("torch._utils", "_rebuild_tensor_v2")
    return Call(function, storage, offset, shape, strides, False, collections.OrderedDict())


def pickled(content: Any) -> bytes:
    buffer = io.BytesIO()
    Writer(buffer, protocol=2).dump(content)
    return buffer.getvalue()


def write_checkpoint(folder: Path, content: Any, *, magic: int = MAGIC, names: Any = ("7",)) -> Path:
    values = np.arange(6, dtype="<f4")
    head = b"".join(pickled(part) for part in (magic, 1001, {"little_endian": True}, content, names))
    path = folder / "weights.pth"
    path.write_bytes(head + struct.pack("<q", 6) + values.tobytes())
    return path


def test_tensors_are_views_into_their_storage(tmp_path: Path) -> None:
    storage = Storage("7")
    content = {"whole": tensor(storage, 0, (2, 3), (3, 1)), "column": tensor(storage, 1, (2,), (3,))}
    weights = torch_weights.read(write_checkpoint(tmp_path, content))
    assert weights["whole"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert weights["column"].tolist() == [1, 4]


def test_scalars_are_tensors_too(tmp_path: Path) -> None:
    weights = torch_weights.read(write_checkpoint(tmp_path, {"scalar": tensor(Storage("7"), 5, (), ())}))
    assert weights["scalar"].item() == 5


@pytest.mark.parametrize("place", ["content", "names", "magic"])
def test_code_in_any_pickle_of_the_file_is_refused_and_not_run(tmp_path: Path, place: str) -> None:
    witness = tmp_path / "was-run"
    call = Call(Global(os.system.__module__, "system"), f"touch {witness}")
    parts: dict[str, Any] = {"content": {"a": tensor(Storage("7"), 0, (6,), (1,))}, place: call}
    with pytest.raises(ConversionError, match=r"cannot be read as PyTorch weights: it asks to run posix\.system"):
        torch_weights.read(write_checkpoint(tmp_path, **parts))
    assert not witness.exists()


@pytest.mark.parametrize(
    ("offset", "shape", "strides"), [(0, (7,), (1,)), (5, (2,), (1,)), (0, (2,), (-1,)), (-1, (1,), (1,))]
)
def test_a_view_past_its_storage_is_refused(
    tmp_path: Path, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
) -> None:
    path = write_checkpoint(tmp_path, {"a": tensor(Storage("7"), offset, shape, strides)})
    with pytest.raises(ConversionError, match="reaches past its storage"):
        torch_weights.read(path)


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(b"PK\x03\x04 a zip archive")
    with pytest.raises(ConversionError, match="cannot be read as PyTorch weights"):
        torch_weights.read(path)


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path, {"a": tensor(Storage("7"), 0, (6,), (1,))})
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ConversionError, match="cannot be read as PyTorch weights"):
        torch_weights.read(path)
