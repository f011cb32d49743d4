"""One process at a time: locks on folders, which leave no file behind and end with the process."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from lab.errors import InstanceError


@contextmanager
def locked(folder: Path) -> Generator[None]:
    """Hold the lock of a folder that is there; wait for it."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def locked_or_busy(folder: Path) -> Generator[None]:
    """Make a folder if need be and hold its lock; do not wait.

    Raises:
        InstanceError: Another process holds it.
    """
    handle = _open_locked(folder)
    try:
        yield
    finally:
        os.close(handle)


def _open_locked(folder: Path) -> int:
    while True:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(handle)
            raise _busy(folder) from error
        # A `lab down` may have removed the folder between the two; then the lock is on nothing.
        if folder.is_dir() and os.fstat(handle).st_ino == folder.stat().st_ino:
            return handle
        os.close(handle)


def _busy(folder: Path) -> InstanceError:
    return InstanceError(
        f"lab {folder.name}",
        "another lab command is at work on it",
        "two at once would boot one root tree twice",
        "wait until it has ended, then type the command again",
    )
