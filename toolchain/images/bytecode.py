"""Compile Python sources for an image, whose file times are all 0 and whose root file system is read-only.

The compiled files carry a hash in place of a file time and are never compared with their source at run time: with
times, every start would compile everything again and could keep nothing.
"""

import sys
from pathlib import Path

from toolchain import uv
from toolchain.images.command import run
from toolchain.images.errors import CompileError

VERSION = "3.11"


def compile_tree(folder: Path, tree: Path) -> None:
    """Compile all sources below a folder.

    Args:
        folder: Where they are now.
        tree: The root of the layer; its path is cut off the file names inside the compiled files.

    Raises:
        CompileError: No Python of the image's version is here, or a source has a syntax error.
    """
    options = ["-q", "-f", "--invalidation-mode", "unchecked-hash", "-s", str(tree), "-p", "/"]
    run(
        [_interpreter(), "-I", "-m", "compileall", *options, str(folder)],
        CompileError,
        "an image without compiled sources starts seconds later",
        "look at the file that it names",
        # The order of sets in compiled constants follows the hash seed; equal input has to give equal bytes.
        {"PYTHONHASHSEED": "0"},
    )


def _interpreter() -> str:
    """Return a Python of the image's version: compiled files of another version would be ignored there."""
    if f"{sys.version_info.major}.{sys.version_info.minor}" == VERSION:
        return sys.executable
    why = f"the images run Debian 12's Python {VERSION}, and another one's compiled files are of no use to it"
    return run(
        [uv.program(), "python", "find", VERSION], CompileError, why, f"run: uv python install {VERSION}"
    ).strip()
