"""Keep two runs from doing the same work at the same time."""

import fcntl
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from toolchain.cache import make_folder


@contextmanager
def exclusive(path: Path, doing: str) -> Generator[None]:
    """Hold the lock file `path` for the block; the kernel frees it when the process ends, however it ends.

    Args:
        path: The lock file; it is created and stays.
        doing: What another run is waited for, in words, such as "the build of k3s".
    """
    make_folder(path.parent)
    with path.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"another run is busy with {doing}; waiting for it", file=sys.stderr, flush=True)
            fcntl.flock(held, fcntl.LOCK_EX)
        yield
