"""What is in a folder: the sha256 of every file, by its path below the folder."""

import hashlib
import os
import tarfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import IO

FILE_MODE = 0o644


def manifest_of(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file below a folder, by its path with forward slashes, in order."""
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in files_below(folder)}


def files_below(folder: Path) -> Iterator[Path]:
    """Yield every file below a folder, in order."""
    for base, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            yield Path(base) / name


def sha256_of(path: Path) -> str:
    """Return a file's sha256; a file of the same size and time is not read again."""
    status = path.stat()
    return _sha256(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=4096)
def _sha256(path: Path, size_bytes: int, modified_ns: int) -> str:
    del size_bytes, modified_ns
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def write_tar(folder: Path, stream: IO[bytes]) -> None:
    """Write the folder's files as a tar stream and close it; links are followed, modes and owners are made plain."""
    with stream, tarfile.open(fileobj=stream, mode="w|", dereference=True) as archive:
        for path in files_below(folder):
            archive.add(path, path.relative_to(folder).as_posix(), recursive=False, filter=_plain)


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.mode = FILE_MODE
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry
