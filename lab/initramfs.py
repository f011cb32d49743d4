"""The file system that a kernel finds in memory: archives in cpio's "newc" format."""

import gzip
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from lab.identity import HostFile

_ALIGNMENT = 4
_FOLDER, _FILE = 0o040000, 0o100000


def archive(files: Mapping[str, HostFile], folders: Mapping[str, int] | None = None) -> bytes:
    """Return a compressed archive; several of them, one after the other, make one file system.

    Args:
        files: Files by their absolute path; they are root's.
        folders: Modes of folders by their absolute path. Every other folder above a file gets mode 0755.
    """
    modes = {**{folder: 0o755 for path in files for folder in _above(path)}, **(folders or {})}
    # The kernel makes what it reads at once, so a folder has to come before what is in it.
    entries = [_entry(path, _FOLDER | mode, b"") for path, mode in sorted(modes.items())]
    entries += [_entry(path, _FILE | file.mode, file.content) for path, file in files.items()]
    return _padded(gzip.compress(b"".join(entries) + _entry("/TRAILER!!!", 0, b""), compresslevel=1, mtime=0))


def _above(path: str) -> Iterator[str]:
    for folder in PurePosixPath(path).parents:
        if folder != PurePosixPath("/"):
            yield str(folder)


def _entry(path: str, mode: int, content: bytes) -> bytes:
    name = path.lstrip("/").encode() + b"\0"
    # inode, mode, uid, gid, links, mtime, size, device twice, special device twice, length of the name, checksum
    fields = (0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0)
    header = b"070701" + b"".join(b"%08x" % field for field in fields)
    return _padded(header + name) + _padded(content)


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % _ALIGNMENT)
