"""SavedModel folders: written so that the same model always gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from publisher.errors import FolderError

GRAPH = "saved_model.pb"


def signature_definitions(folder: Path) -> dict[str, Any]:
    """Return the SignatureDefs of a SavedModel by their names.

    Raises:
        FolderError: It cannot be read.
    """
    return dict(_serving(_read(folder / GRAPH), folder).signature_def)


def write(module: Any, signatures: Mapping[str, Any], folder: Path, like: Mapping[str, Any] | None = None) -> None:
    """Write a module as a SavedModel.

    TensorFlow marks every signature as made for Predict and gives every file a random mark (fingerprint.pb). The marks
    go; signatures that the original made for Classify or Regress are marked so again.

    Args:
        module: Holds the variables.
        signatures: Traced functions by name.
        folder: The folder to make.
        like: SignatureDefs of the original, whose methods and defaults are kept.
    """
    tf.saved_model.save(module, str(folder), signatures=dict(signatures))
    model = _read(folder / GRAPH)
    definitions = _serving(model, folder).signature_def
    for name, original in (like or {}).items():
        if name in definitions and name in signatures:
            definitions[name].method_name = original.method_name
            for key, value in original.defaults.items():
                definitions[name].defaults[key].CopyFrom(value)
    (folder / GRAPH).write_bytes(model.SerializeToString(deterministic=True))
    (folder / "fingerprint.pb").unlink(missing_ok=True)
    _drop_empty(folder / "assets")


def _drop_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _read(path: Path) -> Any:
    try:
        return saved_model_pb2.SavedModel.FromString(path.read_bytes())
    except (OSError, DecodeError) as error:
        raise FolderError(
            where=str(path),
            found=f"no SavedModel: {error}",
            reason="Signatures are added to a SavedModel",
            remedy="Export the model again",
        ) from error


def _serving(model: Any, folder: Path) -> Any:
    for graph in model.meta_graphs:
        if "serve" in graph.meta_info_def.tags:
            return graph
    raise FolderError(
        where=str(folder),
        found="a SavedModel without a graph for the tag 'serve'",
        reason="A model server serves that tag",
        remedy="Export the model with it",
    )
