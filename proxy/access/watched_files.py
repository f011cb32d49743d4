"""Watched files: notice that files have another content, without looking too often."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

_Print = tuple[int, int, int] | None


class WatchedFiles:
    """Say when files were replaced or written.

    A Kubernetes Secret changes by another link in the path; following it, `stat` sees another inode.
    """

    def __init__(self, paths: Sequence[Path], pause_seconds: float = 1.0) -> None:
        self._paths = tuple(paths)
        self._pause_seconds = pause_seconds
        self._looked = time.monotonic()
        self._prints = self._take_prints()

    def changed(self) -> bool:
        """Return whether the files differ from those seen last; looks at most once in the pause."""
        now = time.monotonic()
        if now - self._looked < self._pause_seconds:
            return False
        self._looked = now
        before, self._prints = self._prints, self._take_prints()
        return self._prints != before

    def _take_prints(self) -> list[_Print]:
        return [_print_of(path) for path in self._paths]


def _print_of(path: Path) -> _Print:
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_size, status.st_ino)
