"""The recipes of `recipes.toml` as data, and where their results lie in the cache."""

import hashlib
import tomllib
from dataclasses import dataclass, field
from functools import cache as remembered
from pathlib import Path
from typing import Any, Literal

from toolchain import cache

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
    cgo: Literal["needed", "off", "any"]
    minutes: int = field(repr=False)
    strip: bool = False
    tags: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict[str, str])
    copies: tuple[ModuleFile, ...] = ()

    @property
    def sources(self) -> Path:
        """Folder with go.mod, go.sum and, for some, a main.go."""
        return GO_FOLDER / self.name

    @property
    def link_flags(self) -> str:
        """The text for `-ldflags`."""
        stripped = ["-s", "-w"] if self.strip else []
        named = [f"-X {name}={value.format(version=self.version)}" for name, value in self.variables.items()]
        return " ".join(stripped + named)

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
    """Read `recipes.toml`."""
    content = tomllib.loads(_TABLE.read_text())
    return {name: _recipe(name, row) for name, row in content.items()}


def _recipe(name: str, row: dict[str, Any]) -> Recipe:
    copies = [{key.replace("-", "_"): value for key, value in copy.items()} for copy in row.get("copies", [])]
    fields: dict[str, Any] = {
        **row,
        "tags": tuple(row.get("tags", ())),
        "copies": tuple(ModuleFile(**copy) for copy in copies),
    }
    return Recipe(name=name, **fields)
