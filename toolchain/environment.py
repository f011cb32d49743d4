"""The variables with which `pulumi`, typed by hand, uses this checkout's engine, plugins and stacks."""

import os
import shlex
from pathlib import Path

from toolchain import cache
from toolchain.engine import Engine
from toolchain.state import CHECKOUT, State

_PYTHON = CHECKOUT / ".venv" / "bin"


def variables(engine: Engine, state: State) -> dict[str, str]:
    """Return the variables, PATH with our folders first and no doubles."""
    return {
        "PATH": _path([_PYTHON, engine.folder]),
        "PULUMI_HOME": str(state.home),
        "PULUMI_BACKEND_URL": f"file://{state.backend}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(state.passphrase_file),
        "TMPDIR": str(state.temporary),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "KUBEVC_CACHE": str(cache.root()),
    }


def shell_lines(engine: Engine, state: State) -> list[str]:
    """Return lines for `eval` in a POSIX shell."""
    exports = [f"export {name}={shlex.quote(value)}" for name, value in variables(engine, state).items()]
    # A passphrase in the environment would win over the file.
    return [*exports, "unset PULUMI_CONFIG_PASSPHRASE"]


def _path(first: list[Path]) -> str:
    own = [str(folder) for folder in first]
    # An engine of a former evaluation, from this cache, gives way to the present one.
    stale = str(cache.toolchain())
    rest = [
        part
        for part in os.environ.get("PATH", "").split(os.pathsep)
        if part and part not in own and not part.startswith(stale)
    ]
    return os.pathsep.join([*dict.fromkeys(own), *rest])
