"""Give disk space back."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from toolchain import cache, recipes
from toolchain.progress import say


def clean(*, go_build_cache: bool) -> None:
    """Delete leftovers of interrupted builds and results of recipes that this checkout no longer has.

    Args:
        go_build_cache: Also empty the user's Go build cache (`go clean -cache`). The recipes fill it with several GB;
            it is shared with the user's other Go work, which then compiles everything again.
    """
    for folder in [*_leftovers(), *_superseded()]:
        say(f"deleting {folder} ({_size_mib(folder)} MiB)")
        shutil.rmtree(folder, ignore_errors=True)
    if go_build_cache and shutil.which("go"):
        asked = subprocess.run(["go", "env", "GOCACHE"], capture_output=True, text=True, check=True)
        folder = Path(asked.stdout.strip())
        say(f"emptying Go's build cache {folder} ({_size_mib(folder)} MiB)")
        subprocess.run(["go", "clean", "-cache"], check=True)


def _leftovers() -> Iterator[Path]:
    yield from (path for path in (cache.toolchain() / ".work").glob("*") if path.is_dir())


def _superseded() -> Iterator[Path]:
    kept = {recipe.folder("any").parent for recipe in recipes.table().values()}
    for folder in {path.parent for path in kept}:
        yield from (path for path in folder.glob("*") if path not in kept)


def _size_mib(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*")) >> 20
