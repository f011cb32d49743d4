"""Find an engine: on PATH, else the official release, else built from pinned modules."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from toolchain import cache, memory, recipes
from toolchain.build import build, is_built
from toolchain.errors import ToolchainError, Unreachable
from toolchain.memory import Source
from toolchain.progress import say
from toolchain.release import OFFICIAL_URL, Release

VERSION = "3.259.0"
OLDEST = (3, 229)
"""First version whose `refresh --preview-only` takes no lock on a file backend and whose plugins may be folders."""
NEWEST_MAJOR = 3
PARTS = ("pulumi", "pulumi-language-python", "pulumi-language-python-exec")
_RECIPES = ("pulumi", "language-python")


@dataclass(frozen=True, kw_only=True)
class Engine:
    """An engine that can run a Python program."""

    source: Source
    version: str
    folder: Path
    """Holds `pulumi`; its language host lies beside it or on PATH."""

    @property
    def pulumi(self) -> Path:
        """Path of the command."""
        return self.folder / "pulumi"

    def __str__(self) -> str:
        words = {"path": "found on PATH", "official": "official release", "built": "built from source"}
        return f"pulumi {self.version}, {words[self.source]} ({self.folder})"


def find() -> Engine | None:
    """Return the engine that a former set-up settled on, without network or building; None if there is none."""
    return on_path() or _remembered()


def resolve(*, retry_official: bool = False, base_url: str = OFFICIAL_URL) -> Engine:
    """Return an engine, downloading or building it if needed.

    Args:
        retry_official: Ask for the official release again, although it was not to be had before.
        base_url: Folder of the official releases.

    Raises:
        ToolchainError: There is none on PATH, and it can neither be downloaded nor built.
    """
    chosen = on_path() or (None if retry_official else _remembered())
    if chosen is None:
        chosen = _official(base_url) or _built()
        memory.remember(_piece(), chosen.source)
    return chosen


def required() -> Engine:
    """Return the engine of a former set-up.

    Raises:
        ToolchainError: There was none.
    """
    engine = find()
    if engine is None:
        raise ToolchainError(
            "engine",
            "no Pulumi engine is set up on this machine",
            "every pulumi command needs one",
            "run: .venv/bin/python -m toolchain setup",
        )
    return engine


def on_path() -> Engine | None:
    """Return the user's own engine if its version fits and it can run Python programs; say so if it does not fit."""
    path = _users_path()
    command = shutil.which("pulumi", path=path)
    if command is None:
        return None
    version = _version_of(command)
    problem = _misfit(version, f"{Path(command).parent}{os.pathsep}{path}")
    if problem is not None:
        say(f"{command} is not used: {problem}")
        return None
    return Engine(source="path", version=version, folder=Path(command).parent)


def _users_path() -> str:
    # The cache's own folder is on PATH after `env`; that engine is none of the user's.
    own = str(cache.root())
    return os.pathsep.join(part for part in os.environ.get("PATH", "").split(os.pathsep) if not part.startswith(own))


def _misfit(version: str, path: str) -> str | None:
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if not (OLDEST <= numbers < (NEWEST_MAJOR + 1, 0)):
        wanted = f"{OLDEST[0]}.{OLDEST[1]} or newer, below {NEWEST_MAJOR + 1}"
        return f"its version is {version or 'not known'}, wanted is {wanted}"
    missing = [part for part in PARTS if shutil.which(part, path=path) is None]
    return f"{missing[0]} is neither beside it nor on PATH" if missing else None


def _version_of(command: str) -> str:
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        asked = subprocess.run(
            [command, "version"], env=environment, capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout.strip().removeprefix("v")


def _piece() -> str:
    return f"pulumi {VERSION} {cache.host_architecture()}"


def _remembered() -> Engine | None:
    source = memory.recall(_piece())
    folder = _release(OFFICIAL_URL).folder if source == "official" else _built_folder()
    complete = source in ("official", "built") and all((folder / part).exists() for part in PARTS)
    if not complete or (source == "built" and not _is_current()):
        return None
    return Engine(source=source or "built", version=VERSION, folder=folder)


def _release(base_url: str) -> Release:
    return Release(version=VERSION, architecture=cache.host_architecture(), base_url=base_url)


def _official(base_url: str) -> Engine | None:
    try:
        folder = _release(base_url).fetch()
    except Unreachable as problem:
        say(f"no official engine: {problem.where}: {problem.found}; using one that is built from source")
        return None
    return Engine(source="official", version=VERSION, folder=folder)


def _is_current() -> bool:
    return all(is_built(recipes.table()[name], cache.host_architecture()) for name in _RECIPES)


def _built_folder() -> Path:
    # Named after both recipes, so that a change to one of them makes a new folder.
    marks = "-".join(recipes.table()[name].fingerprint for name in _RECIPES)
    return cache.toolchain() / "engine" / f"{VERSION}-{marks}" / cache.host_architecture()


def _built() -> Engine:
    """Build engine and language host and link them into one folder, where they find each other."""
    folder = cache.make_folder(_built_folder())
    for name in _RECIPES:
        for part in build(recipes.table()[name], cache.host_architecture()).parent.iterdir():
            with cache.replacing(folder / part.name) as aside:
                aside.hardlink_to(part)
    return Engine(source="built", version=VERSION, folder=folder)
