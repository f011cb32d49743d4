"""The folders on the volume: which versions a model has, and whether one of them changed.

Every function here may block for as long as the volume does. Only a model's own watcher thread calls them; a request
and a probe never do.
"""

from __future__ import annotations

import os
from pathlib import Path

from modelserver.errors import InvalidArgument, NotFound

GRAPH = "saved_model.pb"
MAX_VERSION = 2**63 - 1

Fingerprint = tuple[tuple[str, int, int], ...]


def list_versions(base_path: Path, model: str) -> dict[int, Path]:
    """Return the version folders below `base_path` by their number.

    Raises:
        InvalidArgument: the folder cannot be listed.
    """
    try:
        with os.scandir(base_path) as entries:
            names = sorted(entry.name for entry in entries if is_version(entry.name))
    except OSError as error:
        raise InvalidArgument(
            f"Could not find base path {base_path} for servable {model} with error {error.strerror or error}"
        ) from error
    # "1" and "001" are one version: like TensorFlow Serving, the last of the names in order is taken.
    return {int(name): base_path / name for name in names}


def is_version(name: str) -> bool:
    """Tell whether a folder's name is a version number. A name with anything but digits is one being written."""
    return name.isascii() and name.isdecimal() and int(name) <= MAX_VERSION


def fingerprint(version_path: Path) -> Fingerprint:
    """Return name, size and time of change of every file of a version, to see whether the version changed.

    Raises:
        NotFound: there is no saved_model.pb, so this is no SavedModel, or not yet.
    """
    try:
        files = tuple(sorted(_walk(version_path, "")))
    except OSError as error:
        raise NotFound(f"Could not read {version_path}: {error.strerror or error}") from error
    if not any(name == GRAPH for name, _, _ in files):
        raise NotFound(f"Could not find SavedModel .pb or .pbtxt at supplied export directory path: {version_path}")
    return files


def _walk(folder: Path, prefix: str) -> Fingerprint:
    found: list[tuple[str, int, int]] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            name = prefix + entry.name
            if entry.is_dir():
                found += _walk(folder / entry.name, name + "/")
            else:
                status = entry.stat()
                found.append((name, status.st_size, status.st_mtime_ns))
    return tuple(found)
