"""Download Pulumi's official release and check it against the checksums that are published beside it."""

import hashlib
import shutil
import tarfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import cast

from toolchain import cache
from toolchain.errors import DownloadError, Unreachable
from toolchain.progress import Progress

OFFICIAL_URL = "https://get.pulumi.com/releases/sdk"
_SECONDS_TO_ANSWER = 5
_ARCHITECTURES = {"amd64": "x64", "arm64": "arm64"}
_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Release:
    """One version of the engine with its language hosts, as upstream publishes it."""

    version: str
    architecture: str
    """`amd64` or `arm64`; there are no others."""
    base_url: str = OFFICIAL_URL
    """Folder of the archives and their checksum files."""

    @property
    def archive(self) -> str:
        """File name of the archive."""
        return f"pulumi-v{self.version}-linux-{_ARCHITECTURES.get(self.architecture, self.architecture)}.tar.gz"

    @property
    def folder(self) -> Path:
        """Folder in the cache where the binaries lie once they are unpacked."""
        return cache.toolchain() / "pulumi-official" / self.version / self.architecture

    def fetch(self) -> Path:
        """Download, check and unpack; return the folder of the binaries.

        Raises:
            Unreachable: The server does not answer, or does not have this version.
            DownloadError: The archive is not the one whose checksum was published.
        """
        published = self._published_sha256()
        work = cache.make_folder(self.folder.parent / f".{self.architecture}.download")
        try:
            archive = work / self.archive
            self._download(archive, published)
            _unpack(archive, work, self.folder)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        return self.folder

    def _published_sha256(self) -> str:
        url = f"{self.base_url}/pulumi-{self.version}-checksums.txt"
        with _open(url) as answer:
            for line in answer.read().decode(errors="replace").splitlines():
                match line.split():
                    case [digest, name] if name.lstrip("*") == self.archive:
                        return digest.lower()
                    case _:
                        continue
        raise Unreachable(
            url,
            f"there is no checksum for {self.archive} in it",
            "an archive is used only if upstream says what it must be",
            "nothing: the engine is built from source instead",
        )

    def _download(self, archive: Path, published: str) -> None:
        url = f"{self.base_url}/{self.archive}"
        digest = hashlib.sha256()
        progress = Progress(f"downloading {url}")
        with _open(url) as answer, archive.open("wb") as file:
            size = 0
            while chunk := _read(answer, url):
                file.write(chunk)
                digest.update(chunk)
                size += len(chunk)
                progress.tell(f"{size >> 20} MiB")
        progress.finish(f"{archive.stat().st_size >> 20} MiB")
        if digest.hexdigest() != published:
            raise DownloadError(
                url,
                f"its SHA-256 is {digest.hexdigest()}, published is {published}",
                "something between upstream and here changes what is downloaded; it was deleted unopened",
                "look into the proxy or mirror in between, then run: python -m toolchain setup --retry-official",
            )


def answers(url: str = OFFICIAL_URL) -> bool:
    """Say whether the server of `url` answers within some seconds, whatever it answers."""
    try:
        request = urllib.request.Request(url, method="HEAD")
        urllib.request.urlopen(request, timeout=_SECONDS_TO_ANSWER).close()
    except urllib.error.HTTPError:
        return True
    except (OSError, HTTPException):
        return False
    return True


def _open(url: str) -> HTTPResponse:
    try:
        return cast(HTTPResponse, urllib.request.urlopen(url, timeout=_SECONDS_TO_ANSWER))
    except (OSError, HTTPException) as problem:
        raise _unreachable(url, problem) from problem


def _read(answer: HTTPResponse, url: str) -> bytes:
    try:
        return answer.read(_CHUNK)
    except (OSError, HTTPException) as problem:
        raise _unreachable(url, problem) from problem


def _unreachable(url: str, problem: Exception) -> Unreachable:
    reason = getattr(problem, "reason", None) or problem
    return Unreachable(
        url,
        f"it cannot be had: {reason}",
        "the official engine is the first choice",
        "nothing: the engine is built from source instead",
    )


def _unpack(archive: Path, work: Path, folder: Path) -> None:
    with tarfile.open(archive) as content:
        content.extractall(work, filter="data")
    shutil.rmtree(folder, ignore_errors=True)
    (work / "pulumi").replace(folder)
