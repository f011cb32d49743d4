"""Layers: tar archives that are equal to the byte when their content is equal.

Entries are sorted, owned by root, dated 0, and have one of three modes, whatever the machine's umask or the
checkout's history was. Finished layers are kept in the cache under the key of what they were made from, so that a
change of the program's code rebuilds only the last and smallest one.
"""

import hashlib
import json
import os
import shutil
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from toolchain import cache

_UNUSED_SECONDS = 14 * 24 * 3600

Fill = Callable[[Path], str]
"""Writes a layer's content into an empty folder and returns the layer's identity."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One finished layer."""

    path: Path
    """The uncompressed tar archive."""
    sha256: str
    """Its digest in hexadecimal, which is also its name inside an image."""
    identity: str
    """What it is made of, in words that are the same for every architecture."""
    title: str
    """What it holds, for the image's history."""


def make(title: str, key: str, fill: Fill) -> Layer:
    """Return a layer from the cache, or make it.

    Args:
        title: What it holds.
        key: Hexadecimal hash over everything that the content follows from.
        fill: Writes the content.
    """
    path, note = _place(key)
    if not (note.exists() and path.exists()):
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".tree-") as tree:
            identity = fill(Path(tree))
            _write(Path(tree), path)
        with cache.replacing(note) as aside:
            aside.write_text(json.dumps({"sha256": _sha256(path), "identity": identity}))
    os.utime(note)
    return Layer(path=path, title=title, **json.loads(note.read_text()))


def forget(key: str) -> None:
    """Remove a layer from the cache, so that it is made again."""
    for path in _place(key):
        path.unlink(missing_ok=True)


def forget_unused() -> None:
    """Remove layers that no image was made of for two weeks, and what a killed run left behind."""
    before = time.time() - _UNUSED_SECONDS
    folder = _place("")[0].parent
    for note in folder.glob("*.json"):
        if note.stat().st_mtime < before:
            forget(note.stem)
    for tree in folder.glob(".tree-*"):
        if tree.stat().st_mtime < before:
            shutil.rmtree(tree, ignore_errors=True)


def _place(key: str) -> tuple[Path, Path]:
    """Return where a layer and the note about it are kept."""
    folder = cache.make_folder(cache.root() / "layers")
    return folder / f"{key[:32]}.tar", folder / f"{key[:32]}.json"


def _write(tree: Path, path: Path) -> None:
    with cache.replacing(path) as aside, tarfile.open(aside, "w", format=tarfile.GNU_FORMAT) as archive:
        for entry in _entries(tree):
            _append(archive, entry, tree)


def _entries(tree: Path) -> Iterator[Path]:
    """Yield everything below a folder in the order of its path; a link to a folder is a link, not a folder."""
    for entry in sorted(tree.iterdir()):
        yield entry
        if entry.is_dir() and not entry.is_symlink():
            yield from _entries(entry)


def _append(archive: tarfile.TarFile, path: Path, tree: Path) -> None:
    entry = archive.gettarinfo(path, str(path.relative_to(tree)))
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    entry.mode = _mode(entry)
    if entry.isreg():
        with path.open("rb") as file:
            archive.addfile(entry, file)
    else:
        archive.addfile(entry)


def _mode(entry: tarfile.TarInfo) -> int:
    if entry.isdir():
        return 0o1777 if entry.mode & 0o1000 else 0o755
    return 0o755 if entry.mode & 0o100 or entry.issym() else 0o644


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
