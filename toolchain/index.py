"""The table of artifacts that a lab's mirror serves: `<cache>/artifacts/index.yaml`.

It has the format of a site's artifact lock table, so that a lab site installs from it as any site does:

    artifacts:
    - {name: k3s, version: v1.26.2+k3s1, architecture: amd64, url: k3s/v1.26.2+k3s1/amd64/k3s, sha256: ...,
       size-bytes: 157286400}

Every producer ends with `index.add(Artifact(...), source)`. Checksums are computed from the file that is
put in place, never taken from elsewhere.
"""

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from toolchain import cache
from toolchain.errors import CacheError
from toolchain.lock import exclusive

Entry = dict[str, str | int]


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """One file that hosts of a site download."""

    name: str
    """Name in the lock table, such as `k3s` or `image-pause`."""
    version: str
    """Version of the content. It is part of the URL, so another content needs another version."""
    architecture: str
    """`amd64`, `arm64`, `armhf` or `any`."""
    file_name: str
    """Last part of the URL."""
    image: str | None = None
    """Image reference, for container image archives only."""

    @property
    def url(self) -> str:
        """Address below the mirror."""
        return f"{self.name}/{self.version}/{self.architecture}/{self.file_name}"

    @property
    def path(self) -> Path:
        """Place of the file in the cache."""
        return cache.artifacts() / self.url


def index_path() -> Path:
    """Return the path of the table."""
    return cache.artifacts() / "index.yaml"


def entries() -> list[Entry]:
    """Read the table; it is empty before the first artifact is added.

    Raises:
        CacheError: The file is not a table of artifacts.
    """
    path = index_path()
    if not path.exists():
        return []
    try:
        content: Any = yaml.safe_load(path.read_text())
    except yaml.YAMLError as problem:
        raise _unreadable(path) from problem
    match content:
        case {"artifacts": [*rows]} if all(isinstance(row, Mapping) for row in rows):
            return [dict(row) for row in cast(list[Entry], rows)]
        case _:
            raise _unreadable(path)


def has(artifact: Artifact) -> bool:
    """Say whether the artifact is in the table and its file has the size written there."""
    for entry in entries():
        if _key(entry) == (artifact.name, artifact.version, artifact.architecture):
            same = entry.get("url") == artifact.url and entry.get("image") == artifact.image
            return same and artifact.path.exists() and artifact.path.stat().st_size == entry.get("size-bytes")
    return False


def add(artifact: Artifact, source: Path | None = None, *, only_version: bool = False) -> Entry:
    """Put an artifact's file in place and write its row.

    Args:
        artifact: What is added; a row of the same name, version and architecture is replaced.
        source: The finished file. It is linked (same disk) or copied into the cache and stays where it is.
            Without it the file must already lie at `artifact.path`.
        only_version: Drop the rows of other versions with this name and architecture. For artifacts whose
            version is a content hash, of which only the newest is of use.

    Raises:
        CacheError: There is no such file, or the present table cannot be read.
    """
    if source is not None:
        _put(source, artifact.path)
    row = _describe(artifact)
    with exclusive(cache.artifacts() / ".index.lock", "the artifact table"):
        kept = [entry for entry in entries() if not _supersedes(artifact, entry, only_version)]
        _write([*kept, row])
    return row


def sha256(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _key(entry: Entry) -> tuple[object, object, object]:
    return entry.get("name"), entry.get("version"), entry.get("architecture")


def _supersedes(artifact: Artifact, entry: Entry, only_version: bool) -> bool:
    if (artifact.name, artifact.architecture) != (entry.get("name"), entry.get("architecture")):
        return False
    return only_version or artifact.version == entry.get("version")


def _describe(artifact: Artifact) -> Entry:
    if not artifact.path.is_file():
        raise CacheError(
            str(artifact.path),
            "the file does not exist",
            f"{artifact.name} {artifact.version} cannot be served to hosts without it",
            "run: python -m toolchain setup --lab",
        )
    row: Entry = {
        "name": artifact.name,
        "version": artifact.version,
        "architecture": artifact.architecture,
        "url": artifact.url,
        "sha256": sha256(artifact.path),
        "size-bytes": artifact.path.stat().st_size,
    }
    return row if artifact.image is None else {**row, "image": artifact.image}


def _put(source: Path, place: Path) -> None:
    with cache.replacing(place) as aside:
        try:
            aside.hardlink_to(source)
        except OSError:
            # Another disk, or a file system without links.
            shutil.copy(source, aside)


def _write(rows: list[Entry]) -> None:
    rows = sorted(rows, key=lambda row: tuple(map(str, _key(row))))
    with cache.replacing(index_path()) as aside:
        aside.write_text(yaml.safe_dump({"artifacts": rows}, sort_keys=False, default_flow_style=None, width=10_000))


def _unreadable(path: Path) -> CacheError:
    return CacheError(
        str(path),
        "the file is not a table of artifacts",
        "lab sites read addresses and checksums from it",
        f"delete it and fill it again: rm {path} && python -m toolchain setup --lab",
    )
