"""Where things that outlive a checkout are kept.

<cache>/toolchain/<name>/<version>-<recipe hash>/<architecture>/   binaries that were built or downloaded
<cache>/artifacts/<name>/<version>/<architecture>/<file>           what a lab site installs, with index.yaml
<cache>/models/<name>/                                             the lab's models
"""

import os
import platform
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from toolchain.errors import CacheError

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "armhf"}


def root() -> Path:
    """Return the cache folder: `$KUBEVC_CACHE`, else `$XDG_CACHE_HOME/kubevc`, else `~/.cache/kubevc`."""
    chosen = os.environ.get("KUBEVC_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser().absolute() / "kubevc"


def toolchain() -> Path:
    """Return the folder of built and downloaded binaries."""
    return root() / "toolchain"


def artifacts() -> Path:
    """Return the folder that a lab's mirror serves."""
    return root() / "artifacts"


def models() -> Path:
    """Return the folder of the lab's models."""
    return root() / "models"


def host_architecture() -> str:
    """Return this machine's architecture in Go's words (`amd64`, `arm64`) or Debian's (`armhf`)."""
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine)


def make_folder(folder: Path) -> Path:
    """Create a folder with its parents and return it.

    Raises:
        CacheError: The folder cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise CacheError(
            str(folder),
            f"the folder cannot be created: {problem.strerror}",
            "binaries, images and models are kept there between runs",
            "make it writable, or set KUBEVC_CACHE to a folder on a disk with about 10 GB free",
        ) from problem
    return folder


@contextmanager
def replacing(path: Path) -> Generator[Path]:
    """Yield a path beside `path` to write to; put it in the place of `path` when the block ends well.

    A reader sees the old file or the whole new one, never a part.
    """
    make_folder(path.parent)
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        yield aside
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
