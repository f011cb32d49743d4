"""The CoreDNS image: the static binary of the toolchain's recipe and nothing else."""

import shutil
from pathlib import Path

from toolchain import build, recipes
from toolchain.images.layer import Layer, make


def version() -> str:
    """Return the version of the content."""
    return recipes.table()["coredns"].version


def layers(architecture: str) -> list[Layer]:
    """Return the image's only layer; the binary is built if the cache does not have it.

    Raises:
        GoError: There is no Go compiler to build it with.
        BuildError: It does not build.
    """
    binary = build.build(recipes.table()["coredns"], architecture)
    stamp = binary.stat()
    key = f"{recipes.table()['coredns'].fingerprint}{stamp.st_size:x}{stamp.st_mtime_ns:x}{architecture}"
    return [make("CoreDNS", key, lambda tree: _fill(tree, binary))]


def _fill(tree: Path, binary: Path) -> str:
    shutil.copyfile(binary, tree / "coredns")
    (tree / "coredns").chmod(0o755)
    # It opens unix sockets and temporary files only for plugins that ask for them.
    (tree / "tmp").mkdir()
    (tree / "tmp").chmod(0o1777)
    return recipes.table()["coredns"].fingerprint
