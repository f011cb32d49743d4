"""See that a tree holds every library that something in it is linked to, plug-ins among them."""

from collections.abc import Iterator
from pathlib import Path

from toolchain.images import elf


def missing(tree: Path) -> list[str]:
    """Return what is not there, such as `libxt_statistic.so needs libm.so.6`, sorted.

    A plug-in counts like a program: it is loaded by its path, long after the program has started well.
    """
    there = {path.name for path in tree.rglob("*")}
    return sorted(f"{user} needs {library}" for user, library in _needs(tree) if library not in there)


def _needs(tree: Path) -> Iterator[tuple[str, str]]:
    for path in tree.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        if elf.is_library(content):
            yield from ((path.name, library) for library in elf.read_library(content).needed)
