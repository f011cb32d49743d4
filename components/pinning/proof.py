"""Finding a file's checksum, and how far it can be trusted: one class for each way publishers do it."""

from __future__ import annotations

import hashlib
import tarfile
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from components.pinning import signatures
from components.pinning.checksums import file_name, listed_checksum
from components.pinning.download import Downloader, not_published
from components.pinning.errors import NotPublished, PinError, SignatureRefused


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What a proof may use."""

    downloader: Downloader = field(default_factory=Downloader)
    require_signatures: bool = False
    """Refuse a file that its publisher signs and whose signature cannot be verified here."""
    runc_keyring: Path | None = None
    """Public keys of runc's maintainers."""

    def unverified(self, url: str, reason: str, fix: str) -> str:
        """Return the words for a signature that was not verified.

        Raises:
            SignatureRefused: Signatures are required.
        """
        if self.require_signatures:
            raise SignatureRefused(
                where=url,
                found=f"a signature that was not verified: {reason}",
                why="Signatures are required (--require-signatures). Nothing was written.",
                fix=fix,
            )
        return f"SIGNATURE NOT VERIFIED: {reason}"


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A checksum, and where it is from."""

    sha256: str
    origin: str
    """Words for a person: where it is from and whether a signature was verified."""


class Proof(Protocol):
    """A way to learn a file's checksum.

    Raises `NotPublished` where the publisher does not have the file, another `PinError` where it cannot be trusted.
    """

    @property
    def checksums_url(self) -> str | None:
        """Return the list that names the file itself."""
        ...

    def check(self, url: str, tools: Tools) -> Checked:
        """Return the checksum of the file behind a URL."""
        ...


def read_list(checksums_url: str, url: str, listing: str) -> str:
    """Return what a list says of a file.

    Raises:
        NotPublished: It says nothing.
    """
    checksum = listed_checksum(listing, url)
    if checksum is None:
        raise not_published(checksums_url, f"no line for {file_name(url)}")
    return checksum


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A list of checksums that nobody signs: k3s, containerd, the CNI plugins."""

    checksums_url: str

    def check(self, url: str, tools: Tools) -> Checked:
        """Return what the list says."""
        checksum = read_list(self.checksums_url, url, tools.downloader.text(self.checksums_url))
        return Checked(sha256=checksum, origin=f"from {self.checksums_url} (a list without signature)")


@dataclass(frozen=True, kw_only=True)
class Cosigned:
    """A checksum beside the file, and a signature of the file itself: Kubernetes since v1.26."""

    checksums_url: str

    def check(self, url: str, tools: Tools) -> Checked:
        """Return the published checksum; fetch the file and verify its signature where cosign is installed."""
        checksum = read_list(self.checksums_url, url, tools.downloader.text(self.checksums_url))
        return Checked(sha256=checksum, origin=f"from {self.checksums_url} ({self._verify(url, checksum, tools)})")

    def _verify(self, url: str, checksum: str, tools: Tools) -> str:
        if not signatures.is_installed("cosign"):
            return tools.unverified(url, "cosign is not installed", "Install cosign, and run this again.")
        with tempfile.TemporaryDirectory(prefix="kubevc-pin-") as folder:
            binary, signature, certificate = (Path(folder, part) for part in ("binary", "signature", "certificate"))
            try:
                tools.downloader.file(f"{url}.sig", signature)
                tools.downloader.file(f"{url}.cert", certificate)
            except NotPublished as missing:
                return tools.unverified(url, f"nothing at {missing.problem.where}", "Choose a version from v1.26 on.")
            refuse_another(url, tools.downloader.file(url, binary), checksum, self.checksums_url)
            signatures.verify_kubernetes_binary(binary, signature, certificate, url=url)
        return f"signature of {signatures.KUBERNETES_SIGNER} verified by cosign"


@dataclass(frozen=True, kw_only=True)
class ClearSigned:
    """A list of checksums inside its own signature: runc."""

    checksums_url: str

    def check(self, url: str, tools: Tools) -> Checked:
        """Return what the list says, verified where a keyring is given."""
        listing, words = self._verify(tools.downloader.text(self.checksums_url), tools)
        checksum = read_list(self.checksums_url, url, listing)
        return Checked(sha256=checksum, origin=f"from {self.checksums_url} ({words})")

    def _verify(self, listing: str, tools: Tools) -> tuple[str, str]:
        if tools.runc_keyring is None:
            fix = "Give the keys of runc's maintainers: --runc-keyring FILE (make pin KEYRING=FILE)."
            return listing, tools.unverified(self.checksums_url, "no keyring was given", fix)
        if not signatures.is_installed("gpg"):
            return listing, tools.unverified(self.checksums_url, "gpg is not installed", "Install gnupg.")
        signed = signatures.signed_text(listing, tools.runc_keyring, url=self.checksums_url)
        return signed, f"the list's signature verified by gpg with {tools.runc_keyring}"


@dataclass(frozen=True, kw_only=True)
class Archived:
    """A checksum of the archive that holds the same file: flannel's CNI plugin, whose plain binaries are in no list."""

    archive_urls: tuple[str, ...]
    """Names that the archive had in different releases; the first that is published counts."""
    checksums_url: None = None

    def check(self, url: str, tools: Tools) -> Checked:
        """Return the checksum of the file, which must be the one inside the checked archive."""
        for archive_url in self.archive_urls:
            with suppress(NotPublished):
                return self._compare(url, archive_url, tools)
        raise not_published(url, f"no archive that holds it at {' or '.join(self.archive_urls)}")

    def _compare(self, url: str, archive_url: str, tools: Tools) -> Checked:
        checksums_url = f"{archive_url}.sha256"
        listed = read_list(checksums_url, archive_url, tools.downloader.text(checksums_url))
        with tempfile.TemporaryDirectory(prefix="kubevc-pin-") as folder:
            archive = Path(folder, "archive")
            refuse_another(archive_url, tools.downloader.file(archive_url, archive), listed, checksums_url)
            packed = _member_checksum(archive, file_name(url), archive_url)
        refuse_another(url, tools.downloader.checksum(url), packed, archive_url)
        origin = f"the same file as in {archive_url}, whose checksum is from {checksums_url} (a list without signature)"
        return Checked(sha256=packed, origin=origin)


def _member_checksum(archive: Path, name: str, archive_url: str) -> str:
    try:
        with tarfile.open(archive) as packed:
            member = next((m for m in packed if m.isfile() and m.name.split("/")[-1] == name), None)
            content = packed.extractfile(member) if member else None
            if content is None:
                raise not_published(archive_url, f"no {name} in it")
            return hashlib.sha256(content.read()).hexdigest()
    except (tarfile.TarError, EOFError, OSError) as broken:
        raise PinError(
            where=archive_url,
            found=f"no archive: {broken}",
            why="The file inside it is compared with the plain one.",
            fix="Try again; if it stays so, ask the publisher.",
        ) from broken


def refuse_another(url: str, found: str, expected: str, source: str) -> None:
    """Compare a downloaded file with its checksum.

    Raises:
        PinError: They differ.
    """
    if found != expected:
        raise PinError(
            where=url,
            found=f"a file with sha256 {found}",
            why=f"{source} says {expected}. Nothing was written.",
            fix="Try again; if it stays so, do not use the file, and tell the publisher.",
        )
