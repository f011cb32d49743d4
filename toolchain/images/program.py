"""The top layer of the Python images: a program of this repository and the protocol stubs that it speaks with."""

import hashlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from toolchain.images import bytecode
from toolchain.images.command import run
from toolchain.images.errors import CompileError
from toolchain.images.layer import Layer, make

CHECKOUT = Path(__file__).parents[2]
HOME = "/opt/kubevc"
"""Where the packages lie in the image; it is the image's PYTHONPATH."""
_PROTOS = "protos"
_COMPILED = shutil.ignore_patterns("__pycache__")
_FOR_BUILDING = shutil.ignore_patterns("__pycache__", "*.pyi", "*.sha256")


def layer(name: str, checkout: Path = CHECKOUT) -> Layer:
    """Return the layer of one program.

    Args:
        name: Its package in the repository, such as `proxy`.
        checkout: The repository.

    Raises:
        CompileError: The stubs cannot be generated, or a source has a syntax error.
    """
    _generate_stubs(checkout)
    key = _key(name, checkout)

    def fill(tree: Path) -> str:
        _fill(tree, name, checkout)
        return key

    return make(f"KubEVC {name}", key, fill)


def sources(name: str, checkout: Path = CHECKOUT) -> Iterator[Path]:
    """Yield the files that a program's layer follows from, in a stable order."""
    for package in (name, _PROTOS):
        files = (path for path in (checkout / package).rglob("*") if path.is_file() and _counts(path))
        yield from sorted(files)
    yield checkout / "LICENSE"


def _counts(path: Path) -> bool:
    # The stubs follow from the .proto files; they may not have been generated yet.
    return "__pycache__" not in path.parts and not any(part == "stubs" or part.startswith(".") for part in path.parts)


def _generate_stubs(checkout: Path) -> None:
    run(
        ["env", "-C", str(checkout), sys.executable, "-m", "protos.build", "--if-stale"],
        CompileError,
        "the programs speak to each other with code generated from protos/",
        "run: python -m protos.build, and see what it says",
    )


def _key(name: str, checkout: Path) -> str:
    digest = hashlib.sha256(Path(__file__).read_bytes() + Path(bytecode.__file__).read_bytes())
    stubs = sorted((checkout / _PROTOS / "stubs").rglob("*.py"))
    for path in (*sources(name, checkout), *stubs):
        digest.update(f"{path.relative_to(checkout)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _fill(tree: Path, name: str, checkout: Path) -> None:
    home = tree / HOME.lstrip("/")
    shutil.copytree(checkout / name, home / name, ignore=_COMPILED)
    shutil.copytree(checkout / _PROTOS / "stubs", home / _PROTOS / "stubs", ignore=_FOR_BUILDING)
    for module in (checkout / _PROTOS).glob("*.py"):
        if module.name != "build.py":
            shutil.copyfile(module, home / _PROTOS / module.name)
    shutil.copyfile(checkout / "LICENSE", home / "LICENSE")
    bytecode.compile_tree(home, tree)
