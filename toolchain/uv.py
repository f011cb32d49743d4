"""Find uv, the project's Python package client: the one on PATH, or the one that `bootstrap.sh` put into `.state`."""

import shutil
import sys
from pathlib import Path

from toolchain.errors import ToolchainError

_BOOTSTRAPPED = Path(__file__).parents[1] / ".state" / "bootstrap" / "bin" / "uv"


def program() -> str:
    """Return the path of uv.

    Raises:
        ToolchainError: There is none.
    """
    for candidate in (shutil.which("uv"), str(_BOOTSTRAPPED), str(Path(sys.executable).with_name("uv"))):
        if candidate and Path(candidate).exists():
            return candidate
    raise ToolchainError(
        "uv",
        "it is neither on PATH nor in .state/bootstrap",
        "Python packages for models and images are fetched with it, by the hashes in uv.lock",
        "run: toolchain/bootstrap.sh",
    )
