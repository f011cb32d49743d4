"""Tables of artifacts: name, version, architecture, address, sha256.

    artifacts:
      - {name: k3s, version: v1.34.3+k3s1, architecture: amd64, url: "https://...", sha256: ..., size-bytes: 123}

The lab, an air-gapped site and the internet differ in their tables and mirror only; the code is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from components.errors import LockTableError
from components.part import to_kebab


class Entry(BaseModel):
    """One row of a table."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_kebab, populate_by_name=True)

    name: str
    version: str
    architecture: Literal["amd64", "arm64", "armhf", "any"]
    url: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    size_bytes: int | None = None
    checksums_url: str | None = None
    """Where the publisher lists checksums, `<sha256>  <file>` per line."""
    image: str | None = None
    """Reference that pods name, for container image archives."""

    @property
    def identity(self) -> str:
        """Return name, version and architecture as one text."""
        return f"{self.name} {self.version} {self.architecture}"


@dataclass(frozen=True, kw_only=True)
class LockedArtifact:
    """A file to install, with the one place it comes from."""

    name: str
    version: str
    sha256: str
    url: str | None
    """Address that the host downloads from, or None for a file that is uploaded."""
    source_file: str | None
    """File on this machine that is uploaded, or None."""
    size_bytes: int | None
    """Its size, where the table tells."""
    image: str | None
    """Image reference, for image archives."""


@dataclass(frozen=True, kw_only=True)
class LockTable:
    """One table and the folder it lies in."""

    path: Path
    entries: tuple[Entry, ...]

    def find(self, name: str, version: str | None, architecture: str) -> Entry | None:
        """Return the last entry that fits; producers append, so the last one is the newest."""
        fitting = (
            entry
            for entry in reversed(self.entries)
            if entry.name == name and version in (None, entry.version) and entry.architecture in (architecture, "any")
        )
        return next(fitting, None)


class _Content(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    artifacts: tuple[Entry, ...] = ()


def read_table(path: Path) -> LockTable:
    """Read a table.

    Raises:
        LockTableError: The file is no table; the message names the row.
    """
    try:
        content = _Content.model_validate(yaml.safe_load(path.read_text()) or {})
    except (yaml.YAMLError, ValidationError) as broken:
        detail = _first_line(broken)
        raise LockTableError(
            where=str(path),
            found=detail,
            why="Files are installed only from a table that can be read whole.",
            fix="Mend the row, or make the table again.",
        ) from broken
    return LockTable(path=path, entries=content.artifacts)


def _first_line(broken: yaml.YAMLError | ValidationError) -> str:
    if isinstance(broken, yaml.YAMLError):
        return "not YAML: " + " ".join(str(broken).split())
    error = broken.errors(include_url=False)[0]
    row = " > ".join(str(part + 1) if isinstance(part, int) else part for part in error["loc"])
    return f"{row}: {error['msg']}"


@dataclass(frozen=True, kw_only=True)
class ArtifactSource:
    """The tables of a site, in the order they are asked, and its mirror."""

    tables: tuple[LockTable, ...]
    mirror: str | None = None

    @classmethod
    def read(cls, paths: Iterable[Path], mirror: str | None) -> ArtifactSource:
        """Read the tables of a site.

        Raises:
            LockTableError: A file is no table.
        """
        return cls(tables=tuple(read_table(path) for path in paths), mirror=mirror)

    def entry(self, name: str, version: str | None, architecture: str) -> tuple[LockTable, Entry]:
        """Return the table and entry of an artifact.

        Raises:
            LockTableError: No table has it.
        """
        for table in self.tables:
            if found := table.find(name, version, architecture):
                return table, found
        raise LockTableError(
            where="artifacts > lock-files",
            found=f"no row for {name} {version or '(any version)'} {architecture} in {self._names()}",
            why="Only files with a pinned checksum are installed.",
            fix="Add a row for it, or name a table that has one.",
        )

    def locate(self, name: str, version: str | None, architecture: str) -> LockedArtifact:
        """Return where an artifact comes from and what its checksum must be.

        Raises:
            LockTableError: No table has it, or its entry has no checksum.
        """
        table, entry = self.entry(name, version, architecture)
        if entry.sha256 is None:
            raise LockTableError(
                where="artifacts > lock-files",
                found=f"{entry.identity} without sha256 in {table.path}",
                why="A file that cannot be checked is never installed.",
                fix=f"Fill it in, on a machine that reaches its publisher: make pin TABLE={table.path}",
            )
        url, source_file = self._place(table, entry)
        return LockedArtifact(
            name=name,
            version=entry.version,
            sha256=entry.sha256,
            url=url,
            source_file=source_file,
            size_bytes=entry.size_bytes,
            image=entry.image,
        )

    def architectures(self, name: str, version: str | None) -> Sequence[str]:
        """Return the architectures for which a table has an artifact."""
        found = (e.architecture for t in self.tables for e in t.entries if e.name == name)
        return sorted({a for a in found if a != "any" and self._has(name, version, a)})

    def _has(self, name: str, version: str | None, architecture: str) -> bool:
        return any(table.find(name, version, architecture) for table in self.tables)

    def _place(self, table: LockTable, entry: Entry) -> tuple[str | None, str | None]:
        if "://" in entry.url:
            return entry.url, None
        if self.mirror is not None:
            return f"{self.mirror.rstrip('/')}/{entry.url}", None
        return None, str(table.path.parent / entry.url)

    def _names(self) -> str:
        return ", ".join(str(table.path) for table in self.tables)
