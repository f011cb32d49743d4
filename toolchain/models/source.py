"""The packages that weights and labels come from, pinned in `sources.yaml`."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from toolchain import cache
from toolchain.models.errors import SourceError

_FILE = Path(__file__).with_name("sources.yaml")


@dataclass(frozen=True, kw_only=True)
class Source:
    """One pinned package of a public registry."""

    name: str
    """Our name for it."""
    client: Literal["npm", "pypi"]
    """Which registry client fetches it."""
    package: str
    """Its name in the registry."""
    version: str
    """The one version whose content is known."""
    integrity: str
    """`sha512-<base64>` (npm) or `sha256:<hex>` (PyPI) of the archive."""
    size_mib: int
    """Size of the download, for the person who waits."""
    licence: str
    """What its files may be used under, and where that was read."""
    files: Mapping[str, str]
    """Path inside the package to SHA-256, of the files that are used."""

    @property
    def folder(self) -> Path:
        """Folder of the fetched files in the cache."""
        return cache.root() / "downloads" / self.name / self.version


def load(path: Path = _FILE) -> dict[str, Source]:
    """Read the pins by name."""
    entries: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text())
    return {name: _source(name, entry) for name, entry in entries.items()}


def _source(name: str, entry: dict[str, Any]) -> Source:
    return Source(name=name, **{key.replace("-", "_"): value for key, value in entry.items()})


def is_fetched(source: Source) -> bool:
    """Say whether every file of a source lies in the cache with the pinned content."""
    return all(_has_content(source.folder / path, sha256) for path, sha256 in source.files.items())


def verify_files(source: Source, folder: Path) -> None:
    """Compare the files under a folder with their pins.

    Raises:
        SourceError: A file is missing or has another content.
    """
    for path, sha256 in source.files.items():
        if not _has_content(folder / path, sha256):
            raise SourceError(
                f"{source.package} {source.version}, file {path}",
                "it is missing from the package or is not the file whose checksum is pinned",
                "a model made from unknown weights cannot be trusted",
                "look at what your registry serves; the pins are in toolchain/models/sources.yaml",
            )


def _has_content(path: Path, sha256: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256
