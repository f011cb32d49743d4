"""The bottom layer of the Python images: Debian 12's interpreter and C libraries, nothing that runs beside it."""

from pathlib import Path

from toolchain.images import bytecode
from toolchain.images.debian_root import DebianRoot

# Python's editor, installer and documentation; and modules for libraries that are not in the list of packages.
_UNNEEDED = (
    "usr/lib/python3.11/idlelib",
    "usr/lib/python3.11/lib2to3",
    "usr/lib/python3.11/pydoc_data",
    "usr/lib/python3.11/turtledemo",
    "usr/lib/python3.11/lib-dynload/nis.*",
    "usr/lib/python3.11/lib-dynload/readline.*",
    "usr/lib/python3.11/lib-dynload/_curses*",
    "usr/lib/python3.11/lib-dynload/_dbm.*",
)


def _finish(tree: Path) -> None:
    (tree / "usr/bin/python3").symlink_to("python3.11")
    bytecode.compile_tree(tree / "usr/lib/python3.11", tree)


ROOT = DebianRoot(
    title="Debian 12 Python 3.11",
    packages=Path(__file__).with_name("python-packages.txt"),
    unneeded=_UNNEEDED,
    finish=_finish,
    sources=(__file__, bytecode.__file__),
)
