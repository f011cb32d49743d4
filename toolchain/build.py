"""Build a recipe into the cache."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections import deque
from pathlib import Path

from toolchain import cache, compiler
from toolchain.errors import BuildError
from toolchain.lock import exclusive
from toolchain.progress import Progress
from toolchain.recipes import ModuleFile, Recipe

_LINES_IN_ERROR = 12
# With -v go names each package that it compiles, alone on a line.
_PACKAGE = re.compile(r"[\w./~+-]+")
_NO_SPACE = "no space left on device"


def is_built(recipe: Recipe, architecture: str) -> bool:
    """Say whether the cache holds the result."""
    return recipe.result(architecture).exists()


def build(recipe: Recipe, architecture: str) -> Path:
    """Build `recipe` for `architecture` unless the cache has it; return the binary's path.

    A second run of the same build waits for the first and takes its result. An interrupted build leaves nothing that
    looks finished.

    Raises:
        GoError: The compiler is missing or too old.
        BuildError: A module cannot be had or does not compile.
    """
    what = f"{recipe.name} {recipe.version}"
    if is_built(recipe, architecture):
        return recipe.result(architecture)
    work = cache.toolchain() / ".work" / f"{recipe.name}-{architecture}"
    with exclusive(work.with_suffix(".lock"), f"the build of {what}"):
        if not is_built(recipe, architecture):
            _build_in(work, recipe, architecture)
    return recipe.result(architecture)


def _build_in(work: Path, recipe: Recipe, architecture: str) -> None:
    go = compiler.require(f"{recipe.name} {recipe.version}")
    environment = compiler.environment(recipe, architecture)
    shutil.rmtree(work, ignore_errors=True)
    try:
        cache.make_folder(work)
        _prepare(work / "source", work / "result", go, recipe)
        _compile(work, go, recipe, architecture, environment)
        _deliver(work / "result", recipe.folder(architecture))
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _deliver(result: Path, folder: Path) -> None:
    cache.make_folder(folder.parent)
    # What lies there without the binary is the rest of a result that somebody deleted.
    shutil.rmtree(folder, ignore_errors=True)
    result.replace(folder)


def _prepare(source: Path, result: Path, go: str, recipe: Recipe) -> None:
    shutil.copytree(recipe.sources, source)
    result.mkdir()
    for wanted in recipe.copies:
        found = compiler.module_folder(go, recipe.sources, wanted.module) / wanted.file
        place = (source if wanted.to == "embed" else result) / found.name
        place.write_bytes(_content(found, wanted, recipe))
        place.chmod(0o755 if wanted.to == "binary" else 0o644)


def _content(found: Path, wanted: ModuleFile, recipe: Recipe) -> bytes:
    if not wanted.set_version:
        return found.read_bytes()
    return json.dumps({**json.loads(found.read_bytes()), "version": recipe.version}).encode()


def _compile(work: Path, go: str, recipe: Recipe, architecture: str, environment: dict[str, str]) -> None:
    command = [go, "build", "-v", "-mod=readonly", "-trimpath", "-buildvcs=false", "-tags", ",".join(recipe.tags)]
    command += ["-ldflags", recipe.link_flags, "-o", str(work / "result" / recipe.binary), recipe.package]
    title = f"building {recipe.name} {recipe.version} for {architecture} from source"
    progress = Progress(f"{title}, about {recipe.minutes} min on 2 cores")
    status, last = _run(command, work / "source", environment, progress)
    if status != 0:
        progress.finish("failed")
        raise _failure(recipe, last)
    progress.finish("done")


def _run(command: list[str], folder: Path, environment: dict[str, str], progress: Progress) -> tuple[int, list[str]]:
    """Run the compiler, count what it compiles; return its status and its last words."""
    packages, modules = 0, 0
    last: deque[str] = deque(maxlen=_LINES_IN_ERROR)
    with subprocess.Popen(
        command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        try:
            for line in running.stderr or ():
                if line.startswith("go: downloading"):
                    modules += 1
                elif _PACKAGE.fullmatch(line.strip()):
                    packages += 1
                else:
                    last.append(line.rstrip())
                progress.tell(f"{modules} modules downloaded, {packages} packages compiled")
        except BaseException:
            # The compiler's own children would go on without it.
            os.killpg(running.pid, signal.SIGTERM)
            raise
    return running.returncode, list(last)


def _failure(recipe: Recipe, last: list[str]) -> BuildError:
    text = "\n    ".join(last) or "the compiler said nothing"
    where = f"go build of {recipe.name} {recipe.version} (toolchain/go/{recipe.sources.name})"
    if _NO_SPACE in text:
        remedy = (
            "free some 5 GB: python -m toolchain clean --go-build-cache, or set GOCACHE and GOTMPDIR to another disk"
        )
    else:
        remedy = "see that the module proxy (go env GOPROXY) can be reached, then run: python -m toolchain setup"
    return BuildError(where, f"it failed:\n    {text}", f"{recipe.binary} cannot be used", remedy)
