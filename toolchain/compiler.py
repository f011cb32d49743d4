"""The Go compiler of this machine: is it there, is it new enough, how is it called."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from toolchain import cache
from toolchain.errors import BuildError, GoError
from toolchain.recipes import Recipe

WANTED = (1, 26)
# From here on the go command fetches the compiler that a go.mod asks for.
_FETCHES_NEWER = (1, 21)
_INSTALL = (
    "install Go 1.26 or newer from https://go.dev/dl/ (or any Go from 1.21 on, which fetches it), then run it again"
)


@dataclass(frozen=True)
class _Target:
    go: Mapping[str, str]
    c_compiler: str
    package: str


_TARGETS = {
    "amd64": _Target({"GOARCH": "amd64"}, "x86_64-linux-gnu-gcc", "gcc-x86-64-linux-gnu libc6-dev-amd64-cross"),
    "arm64": _Target({"GOARCH": "arm64"}, "aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu libc6-dev-arm64-cross"),
    "armhf": _Target(
        {"GOARCH": "arm", "GOARM": "7"}, "arm-linux-gnueabihf-gcc", "gcc-arm-linux-gnueabihf libc6-dev-armhf-cross"
    ),
}


def require(wanted_for: str) -> str:
    """Return the path of the go command.

    Args:
        wanted_for: What cannot be had without it, such as "pulumi 3.259.0".

    Raises:
        GoError: There is none, or it is too old.
    """
    go = shutil.which("go")
    if go is None:
        raise GoError(
            "go",
            "no go command is on PATH",
            f"{wanted_for} is not on this machine, its official download was not to be had, and so it must be built",
            _INSTALL,
        )
    found = _version(go)
    if found < _FETCHES_NEWER or (found < WANTED and os.environ.get("GOTOOLCHAIN") == "local"):
        raise GoError(go, f"Go {found[0]}.{found[1]} is too old", f"{wanted_for} needs Go 1.26 to build", _INSTALL)
    return go


def environment(recipe: Recipe, architecture: str) -> dict[str, str]:
    """Return the environment for building `recipe` for `architecture`.

    The caches for builds and modules stay the user's own, so that a build that was made once is not made again.

    Raises:
        GoError: The C compiler that the recipe needs is not installed, or the architecture is not known.
    """
    target = _TARGETS.get(architecture)
    if target is None:
        raise GoError(
            recipe.name,
            f"there is no recipe for the architecture {architecture!r}",
            f"{recipe.name} {recipe.version} cannot be built for it",
            f"use one of: {', '.join(_TARGETS)}",
        )
    crossing = architecture != cache.host_architecture()
    variables = {**os.environ, "GOOS": "linux", "GOWORK": "off", **target.go}
    if recipe.cgo in ("needed", architecture):
        compiler = target.c_compiler if crossing else "gcc"
        _require_c(compiler, target.package if crossing else "gcc libc6-dev", recipe, architecture)
        return {**variables, "CGO_ENABLED": "1", "CC": compiler}
    return {**variables, "CGO_ENABLED": "0"} if recipe.cgo != "any" or crossing else variables


def module_folder(go: str, sources: Path, module: str) -> Path:
    """Download a pinned module, checked against go.sum, and return where it lies.

    Args:
        go: The go command.
        sources: The folder of the go.mod and go.sum that pin it.
        module: `path@version`.

    Raises:
        BuildError: It cannot be had.
    """
    asked = subprocess.run(
        [go, "mod", "download", "-json", module], cwd=sources, capture_output=True, text=True, check=False
    )
    if asked.returncode != 0:
        raise BuildError(
            f"go mod download {module}",
            asked.stdout.strip() or asked.stderr.strip(),
            "a file of it is part of the build",
            "see that the module proxy (go env GOPROXY) can be reached, then run it again",
        )
    return Path(json.loads(asked.stdout)["Dir"])


def _version(go: str) -> tuple[int, int]:
    # GOTOOLCHAIN=local: the version of this very command, without fetching another.
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    said = subprocess.run([go, "version"], env=environment, capture_output=True, text=True, check=False).stdout
    match = re.search(r"\bgo(\d+)\.(\d+)", said)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _require_c(compiler: str, package: str, recipe: Recipe, architecture: str) -> None:
    if shutil.which(compiler) is None:
        raise GoError(
            compiler,
            "the C compiler is not on PATH",
            f"{recipe.name} {recipe.version} for {architecture} has C code in it",
            f"run: apt-get install {package}",
        )
