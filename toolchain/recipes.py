"""The recipes of `recipes.toml` as data, and where their results lie in the cache."""

import hashlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache as remembered
from pathlib import Path
from typing import Any, Literal

from toolchain import cache

EARLIER_KUBERNETES = "kubernetes-1.33"
"""The recipes of the version that the test of an upgrade begins with."""
GO_FOLDER = Path(__file__).parent / "go"
_TABLE = Path(__file__).with_name("recipes.toml")


@dataclass(frozen=True, kw_only=True)
class ModuleFile:
    """A file of a pinned module that a build needs or delivers."""

    module: str
    """`path@version`, as in go.sum."""
    file: str
    """Path inside the module."""
    to: Literal["binary", "embed"]
    """`binary`: beside the result, executable. `embed`: into the build folder."""
    set_version: bool = False
    """Write the recipe's version into the key `version` of this JSON file."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How one binary is built; the fields are those of `recipes.toml`."""

    name: str
    version: str
    package: str
    binary: str
    cgo: Literal["needed", "off", "any", "amd64"]
    minutes: int = field(repr=False)
    modules: str = field(default="", repr=False)
    """Folder in `go/`, where it is not called like the recipe; what is in it is part of the fingerprint."""
    static: bool = field(default=False, repr=False)
    """Link C code in; the link flags tell it."""
    strip: bool = False
    tags: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict[str, str])
    copies: tuple[ModuleFile, ...] = ()

    @property
    def sources(self) -> Path:
        """Folder with go.mod, go.sum and, for some, a main.go."""
        return GO_FOLDER / (self.modules or self.name)

    @property
    def link_flags(self) -> str:
        """The text for `-ldflags`."""
        stripped = ["-s", "-w"] if self.strip else []
        named = [f"-X {name}={value.format(version=self.version)}" for name, value in self.variables.items()]
        static = ["-extldflags=-static"] if self.static else []
        return " ".join(stripped + named + static)

    @property
    def fingerprint(self) -> str:
        """Short hash over everything that decides the result, except the Go compiler's version."""
        digest = hashlib.sha256(repr((self, self.link_flags)).encode())
        for source in sorted(self.sources.iterdir()):
            digest.update(source.name.encode() + b"\0" + source.read_bytes())
        return digest.hexdigest()[:12]

    def folder(self, architecture: str) -> Path:
        """Return the folder in the cache where the result for `architecture` lies once it is built."""
        return cache.toolchain() / self.name / f"{self.version}-{self.fingerprint}" / architecture

    def result(self, architecture: str) -> Path:
        """Return the path of the binary for `architecture`."""
        return self.folder(architecture) / self.binary


@remembered
def table() -> dict[str, Recipe]:
    """Read `recipes.toml`; a recipe that shares its modules with others has the key `modules/name`.

    So two versions of one binary, which come from two folders of modules, have two keys.
    """
    content = tomllib.loads(_TABLE.read_text())
    return {key: recipe for name, row in content.items() for key, recipe in _recipes(name, row)}


def _recipes(name: str, row: dict[str, Any]) -> Iterator[tuple[str, Recipe]]:
    shared = {key: value for key, value in row.items() if key != "binaries"}
    binaries: dict[str, int] = row.get("binaries", {})
    if not binaries:
        yield name, _recipe(name, shared)
    for binary, minutes in binaries.items():
        package = row["package"].format(binary=binary)
        own = {"package": package, "binary": binary, "minutes": minutes, "modules": name}
        yield f"{name}/{binary}", _recipe(binary, {**shared, **own})


def _recipe(name: str, row: dict[str, Any]) -> Recipe:
    copies = [{key.replace("-", "_"): value for key, value in copy.items()} for copy in row.get("copies", [])]
    fields: dict[str, Any] = {
        **row,
        "tags": tuple(row.get("tags", ())),
        "copies": tuple(ModuleFile(**copy) for copy in copies),
    }
    return Recipe(name=name, **fields)
